"""Reporting the programme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from council_common.errors import FieldError, Malformed
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.programme_kpis import rules, store
from rebate_service.programme_kpis.rules import Breakdown, Figures, Tally
from rebate_service.programme_kpis.schemas import FiguresOut, ProgrammeOut


async def report(
    session: AsyncSession, by: Breakdown, *, first: date, last: date, limit: int, cursor: str | None
) -> ProgrammeOut:
    """Expected against earned against deducted against missed, from a day to a day (both within)."""
    _check_period(first, last)
    whole = await store.tallies(session, Breakdown.TOTAL if by is Breakdown.SUPPLIER else by, first=first, last=last)
    report = ProgrammeOut(first=first, last=last, by=by, items=[], total=_total(whole))
    if by is Breakdown.SUPPLIER:
        suppliers = await store.suppliers_after(session, _supplier_in(cursor), first=first, last=last, limit=limit + 1)
        if len(suppliers) > limit:
            suppliers = suppliers[:limit]
            report.next = str(suppliers[-1])
        whole = await store.tallies(session, by, first=first, last=last, suppliers=suppliers)
    if by is not Breakdown.TOTAL:
        report.items = _items(whole)
    return report


async def report_whole(session: AsyncSession, by: Breakdown, *, first: date, last: date) -> list[FiguresOut]:
    """The same figures on one page, however many suppliers there are."""
    _check_period(first, last)
    return _items(await store.tallies(session, by, first=first, last=last))


def _check_period(first: date, last: date) -> None:
    if last < first:
        raise Malformed("The period ends before it begins.", errors=[FieldError("to", "is before from")])


def _items(tallies: Sequence[Tally]) -> list[FiguresOut]:
    return [FiguresOut.of(bucket, figures) for bucket, figures in rules.fold(tallies).items()]


def _total(tallies: Sequence[Tally]) -> FiguresOut:
    figures = rules.fold(tally._replace(bucket="") for tally in tallies).get("", Figures())
    return FiguresOut.of("", figures)


def _supplier_in(cursor: str | None) -> UUID:
    try:
        return UUID(cursor) if cursor else UUID(int=0)
    except ValueError:
        raise Malformed(
            "The cursor does not belong to this list.",
            errors=[FieldError("cursor", "is not a cursor of this list", "`next` of the page before")],
        ) from None
