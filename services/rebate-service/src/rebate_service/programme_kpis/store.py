"""The one statement behind the programme's figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.programme_kpis.rules import By, Tally, bucket_name

# A payment counts on the day its file was sent; what is not paid yet on the day it should have been.
_DAY = "coalesce(remitted_on, target_on)"
_BUCKETS = {
    By.TOTAL: "''",
    By.MONTH: f"date_trunc('month', {_DAY}::timestamp)",
    By.QUARTER: f"date_trunc('quarter', {_DAY}::timestamp)",
    By.YEAR: f"date_trunc('year', {_DAY}::timestamp)",
    By.SUPPLIER: "rebate.supplier_id::text",
}
_IN_PERIOD = (
    "status IN ('expected', 'earned', 'missed') AND (remitted_on BETWEEN :first AND :last"
    " OR remitted_on IS NULL AND target_on BETWEEN :first AND :last)"
)
_TALLY = """
SELECT {bucket} AS bucket, status, elapsed_days, coalesce(elapsed_days <= target_day, false) AS on_target,
    count(*), sum(base_pence)::bigint, sum(expected_pence)::bigint, sum(rebate_pence)::bigint,
    sum(deducted_pence)::bigint, sum(variance_pence)::bigint
FROM rebate
JOIN agreement_version AS agreed
    ON agreed.agreement_id = rebate.agreement_id AND agreed.number = rebate.agreement_version
WHERE {period} {suppliers}
GROUP BY 1, 2, 3, 4
"""
_SUPPLIERS = text(
    f"SELECT DISTINCT supplier_id FROM rebate WHERE {_IN_PERIOD} AND supplier_id > :after"
    " ORDER BY supplier_id LIMIT :limit"
)


async def tallies(
    session: AsyncSession, by: By, *, first: date, last: date, suppliers: Sequence[UUID] | None = None
) -> list[Tally]:
    """Rebates of a period, counted and summed; of some suppliers only where named."""
    only = "AND rebate.supplier_id = ANY(:suppliers)" if suppliers is not None else ""
    statement = text(_TALLY.format(bucket=_BUCKETS[by], period=_IN_PERIOD, suppliers=only))
    values: dict[str, Any] = {"first": first, "last": last}
    if suppliers is not None:
        statement = statement.bindparams(bindparam("suppliers", type_=ARRAY(Uuid)))
        values["suppliers"] = list(suppliers)
    return [Tally(bucket_name(by, row[0]), *row[1:]) for row in await session.execute(statement, values)]


async def suppliers_after(session: AsyncSession, after: UUID, *, first: date, last: date, limit: int) -> list[UUID]:
    """The next suppliers with rebates in a period, in order of their ids."""
    found = await session.execute(_SUPPLIERS, {"first": first, "last": last, "after": after, "limit": limit})
    return list(found.scalars())
