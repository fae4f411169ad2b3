"""Reporting the programme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from council_common.errors import FieldError, Malformed, in_order
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.programme_kpis import rules, store
from rebate_service.programme_kpis.rules import Breakdown, Figures, Report, Tally


async def report(
    session: AsyncSession, by: Breakdown, *, first: date, last: date, as_at: date, limit: int, cursor: str | None
) -> Report:
    """The programme from a day to a day (both within), as it stood at the end of a third."""
    in_order(**{"from": first, "to": last})
    period = store.Period(first, last, as_at)
    tallies = await store.tallies(session, Breakdown.TOTAL if by is Breakdown.SUPPLIER else by, period)
    total, following = _total(tallies), None
    if by is Breakdown.SUPPLIER:
        suppliers = await store.suppliers_after(session, _supplier_in(cursor), period, limit=limit + 1)
        if len(suppliers) > limit:
            suppliers = suppliers[:limit]
            following = str(suppliers[-1])
        tallies = await store.tallies(session, by, period, suppliers=suppliers)
    figures = rules.fold(tallies) if by is not Breakdown.TOTAL else {}
    return Report(first=first, last=last, by=by, as_at=as_at, figures=figures, total=total, next=following)


async def report_whole(
    session: AsyncSession, by: Breakdown, *, first: date, last: date, as_at: date
) -> dict[str, Figures]:
    """The same figures on one page, bucket by bucket, however many suppliers there are."""
    in_order(**{"from": first, "to": last})
    return rules.fold(await store.tallies(session, by, store.Period(first, last, as_at)))


def _total(tallies: Sequence[Tally]) -> Figures:
    return rules.fold(tally._replace(bucket="") for tally in tallies).get("", Figures())


def _supplier_in(cursor: str | None) -> UUID:
    try:
        return UUID(cursor) if cursor else UUID(int=0)
    except ValueError:
        raise Malformed(
            "The cursor does not belong to this list.",
            errors=[FieldError("cursor", "is not a cursor of this list", "`next` of the page before")],
        ) from None
