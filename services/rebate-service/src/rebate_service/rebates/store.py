"""Every query of the rebates: by the thousand, in COPY and in one UPDATE over arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from council_common.database.many_rows import copy_rows
from council_common.database.sessions import driver
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebates.record import COLUMNS, RebateRecord, row_of
from rebate_service.rebates.rules import ASSESSED
from rebate_service.rebates.tables import Rebate

CHUNK = 2000

_TABLE: Any = Rebate.__table__  # type: ignore[attr-defined]
_TYPES = {name: _TABLE.c[name].type.compile(dialect=postgresql.dialect()) for name in COLUMNS}  # type: ignore[no-untyped-call]
# JSON is read as text: SQLAlchemy's codec on the driver takes JSON as text and gives it as objects.
_READ = ", ".join(f"{name}::text" if _TYPES[name] == "JSONB" else name for name in COLUMNS)
_ARRAYS = ", ".join(f"${number}::{_TYPES[name]}[]" for number, name in enumerate(COLUMNS, 1))
_ASSIGNED = ", ".join(f"{name} = changed.{name}" for name in COLUMNS if name != "id")
# One payment or invoice may come in two events; every transaction locks rows in the order of their ids.
_OF_INVOICES = f"SELECT {_READ} FROM rebate WHERE invoice_id = ANY($1) ORDER BY id FOR UPDATE"
_OF_SUPPLIER = (
    f"SELECT {_READ} FROM rebate WHERE supplier_id = $1 AND received_on >= $2 AND id > $3 AND status = ANY($4)"
    f" ORDER BY id LIMIT {CHUNK} FOR UPDATE"
)
_PAST_TERM = (
    f"SELECT {_READ} FROM rebate WHERE status = 'expected' AND target_on <= $1 AND EXISTS ("
    " SELECT FROM agreement_version agreed WHERE agreed.agreement_id = rebate.agreement_id"
    " AND agreed.number = rebate.agreement_version AND rebate.clock_started_on + agreed.term_days <= $1"
    f") ORDER BY id LIMIT {CHUNK} FOR UPDATE"
)
_UPDATE = (
    f"UPDATE rebate SET {_ASSIGNED} FROM unnest({_ARRAYS}) AS changed ({', '.join(COLUMNS)})"
    " WHERE rebate.id = changed.id"
)
_RAISE_VERSIONS = (
    "UPDATE rebate SET version = version + counted.facts FROM unnest($1::uuid[], $2::integer[]) AS counted (id, facts)"
    " WHERE rebate.id = counted.id RETURNING rebate.id, version"
)


async def lock_rebates_of_invoices(
    session: AsyncSession, invoice_ids: Iterable[UUID]
) -> dict[UUID, list[RebateRecord]]:
    """The rebates of these invoices, locked until the commit."""
    connection = await driver(session)
    by_invoice: dict[UUID, list[RebateRecord]] = {}
    for row in await connection.fetch(_OF_INVOICES, list(invoice_ids)):
        by_invoice.setdefault(row["invoice_id"], []).append(RebateRecord.of(row))
    return by_invoice


async def lock_rebates_of_supplier(
    session: AsyncSession, supplier_id: UUID, *, received_from: date, after: UUID
) -> list[RebateRecord]:
    """A supplier's next rebates that follow from an agreement (at most 2,000), in order of their ids, locked."""
    connection = await driver(session)
    statuses = [status.value for status in ASSESSED]
    rows = await connection.fetch(_OF_SUPPLIER, supplier_id, received_from, after, statuses)
    return [RebateRecord.of(row) for row in rows]


async def lock_rebates_past_term(session: AsyncSession, *, today: date) -> list[RebateRecord]:
    """The next rebates (at most 2,000) that are expected though their term is over, in order of their ids, locked."""
    connection = await driver(session)
    return [RebateRecord.of(row) for row in await connection.fetch(_PAST_TERM, today)]


async def raise_versions(session: AsyncSession, facts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Lock rebates and raise each one's version by a number of facts that change none of its figures.

    Returns the versions of the last facts.
    """
    connection = await driver(session)
    rows = await connection.fetch(_RAISE_VERSIONS, list(facts), list(facts.values()))
    return {row["id"]: row["version"] for row in rows}


async def insert_rebates(session: AsyncSession, records: Sequence[RebateRecord]) -> None:
    """Store new rebates."""
    if records:
        await copy_rows(session, "rebate", COLUMNS, map(row_of, records))


async def update_rebates(session: AsyncSession, records: Sequence[RebateRecord]) -> None:
    """Store rebates that were locked, as they are now."""
    if records:
        values = zip(*map(row_of, records), strict=True)
        await (await driver(session)).execute(_UPDATE, *map(list, values))
