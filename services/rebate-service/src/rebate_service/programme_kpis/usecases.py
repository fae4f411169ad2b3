"""Reporting the programme."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from council_common.errors import FieldError, Malformed
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.programme_kpis import rules, store
from rebate_service.programme_kpis.rules import By, Figures
from rebate_service.programme_kpis.schemas import FiguresOut, ProgrammeOut


async def report(
    session: AsyncSession, by: By, *, first: date, last: date, limit: int, cursor: str | None
) -> ProgrammeOut:
    """Expected against earned against deducted against missed, from a day to a day (both within)."""
    if last < first:
        raise Malformed("The period ends before it begins.", errors=[FieldError("to", "is before from")])
    total = rules.fold(await store.tallies(session, By.TOTAL, first=first, last=last)).get("", Figures())
    report = ProgrammeOut(first=first, last=last, by=by, items=[], total=FiguresOut.of("", total))
    if by is By.TOTAL:
        return report
    suppliers = None
    if by is By.SUPPLIER:
        after = _read(cursor)
        suppliers = await store.suppliers_after(session, after, first=first, last=last, limit=limit + 1)
        if len(suppliers) > limit:
            suppliers = suppliers[:limit]
            report.next = str(suppliers[-1])
    folded = rules.fold(await store.tallies(session, by, first=first, last=last, suppliers=suppliers))
    report.items = [FiguresOut.of(bucket, figures) for bucket, figures in folded.items()]
    return report


def _read(cursor: str | None) -> UUID:
    try:
        return UUID(cursor) if cursor else UUID(int=0)
    except ValueError:
        raise Malformed(
            "The cursor does not belong to this list.",
            errors=[FieldError("cursor", "not a cursor of this list", "`next` of the page before")],
        ) from None
