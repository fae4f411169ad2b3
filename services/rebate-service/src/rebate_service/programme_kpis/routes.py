"""The programme's figures over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.csv_export import NameBeside, report_csv
from council_common.web.dependencies import RuntimeDep, SessionDep, Today, requires
from council_common.web.resource_routes import CSV_RESPONSE
from fastapi import Query, Response

from rebate_service.programme_kpis.rules import Breakdown
from rebate_service.programme_kpis.schemas import FiguresOut, PeriodQuery, ProgrammeOut, ProgrammeQuery
from rebate_service.programme_kpis.usecases import report, report_whole

router = resource_router("programme-kpis")

Reader = Annotated[Actor, requires("rebates:read")]
SUPPLIER_NAME = NameBeside("supplier_id", "supplier", "/v1/suppliers")
FILENAME = "programme-kpis.csv"


@router.get("")
async def read(session: SessionDep, today: Today, query: Annotated[ProgrammeQuery, Query()], _: Reader) -> ProgrammeOut:
    """Expected against earned against deducted; what late payment lost and early payment gained, never netted.

    And, as at a day: what is still winnable of what is not paid, and what of it is lost; days to pay; share paid by the
    target day. By period, supplier, market sector, department or cause.
    """
    found = await report(
        session,
        query.by,
        first=query.first,
        last=query.last,
        as_at=query.as_at or today,
        limit=query.limit,
        cursor=query.cursor,
    )
    return ProgrammeOut.of(found)


@router.get("/export.csv", response_class=Response, responses=CSV_RESPONSE)
async def export(runtime: RuntimeDep, today: Today, query: Annotated[PeriodQuery, Query()], _: Reader) -> Response:
    """The same figures as CSV for people, all suppliers with their names, amounts in pounds."""
    async with runtime.sessions() as session:
        figures = await report_whole(session, query.by, first=query.first, last=query.last, as_at=query.as_at or today)
    rows = [FiguresOut.of(bucket, of_bucket) for bucket, of_bucket in figures.items()]
    columns = [name for name in FiguresOut.model_fields if name != "bucket"]
    if query.by is not Breakdown.SUPPLIER:
        lines = [[row.bucket, *_values(row, columns)] for row in rows]
        return report_csv([query.by.value, *columns], lines, filename=FILENAME)
    names = await SUPPLIER_NAME.of(runtime.clients, [UUID(row.bucket) for row in rows])
    lines = [[row.bucket, names.get(UUID(row.bucket), ""), *_values(row, columns)] for row in rows]
    return report_csv([SUPPLIER_NAME.column, SUPPLIER_NAME.header, *columns], lines, filename=FILENAME)


def _values(row: FiguresOut, columns: Sequence[str]) -> list[Any]:
    return [getattr(row, name) for name in columns]
