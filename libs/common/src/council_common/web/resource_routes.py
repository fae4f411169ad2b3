"""The reading routes of a resource from the declaration of its list: list, export, one by id, history."""

# Not `from __future__ import annotations`: the routes' types are the resource's, known when its routes are made.
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.rows import get_row, noun_of
from council_common.identity.actor import Actor
from council_common.web.csv_export import csv_export
from council_common.web.dependencies import RuntimeDep, SessionDep, Today, requires
from council_common.web.history import ChangeOut, HistoryQuery, history_page
from council_common.web.keyset import Page
from council_common.web.lists import ResourceList
from council_common.web.preconditions import etag


class Answer(Protocol):
    """A response model that is made from a row."""

    @classmethod
    def of(cls, row: Any, /) -> Any: ...


Show = Callable[[AsyncSession, Sequence[Any]], Awaitable[list[Any]]]
First = Callable[[Any], ChangeOut]
CSV_RESPONSE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


def reading_routes(
    router: APIRouter,
    declared: type[ResourceList],
    answer: type[BaseModel],
    *,
    of: Any,
    scope: str,
    show: Show | None = None,
    first_change: First | None = None,
) -> None:
    """Add `GET`, `GET /export.csv`, `GET /{id}` and `GET /{id}/history` of a resource to its router.

    `of` is the table's class. `show` makes the answers of some rows where one needs more than its row;
    else `answer.of(row)`. `first_change` is a first line of history that the row itself holds (its receipt), if any.
    """
    list_route(router, declared, answer, scope=scope, show=show)
    if declared.csv_columns:
        export_route(router, declared, scope=scope)
    read_route(router, answer, of=of, scope=scope, show=show)
    history_route(router, of=of, scope=scope, first_change=first_change)


def list_route(
    router: APIRouter, declared: type[ResourceList], answer: type[BaseModel], *, scope: str, show: Show | None = None
) -> None:
    """Add the list of a resource, page by page."""
    answers = show or _shown_by(answer)

    @router.get("", description=(declared.__doc__ or "").strip())
    async def list_items(
        session: SessionDep,
        query: Annotated[declared, Query()],  # type: ignore[valid-type]
        _: Annotated[Actor, requires(scope)],
    ) -> Page[answer]:  # type: ignore[valid-type]
        rows, following = await query.page(session)  # type: ignore[attr-defined]
        return Page(items=await answers(session, rows), next=following)


def export_route(router: APIRouter, declared: type[ResourceList], *, scope: str) -> None:
    """Add the whole list, with the same filters and order, as CSV."""
    filename = f"{router.prefix.rpartition('/')[2]}.csv"
    whole = declared.whole()

    @router.get("/export.csv", response_class=StreamingResponse, responses=CSV_RESPONSE)
    async def export(
        runtime: RuntimeDep,
        today: Today,
        query: Annotated[whole, Query()],  # type: ignore[valid-type]
        _: Annotated[Actor, requires(scope)],
    ) -> StreamingResponse:
        """The whole list as CSV for people: the same filters and order, names beside ids, amounts in pounds."""
        wanted: ResourceList = query
        return await csv_export(
            runtime, wanted.csv_statement(today=today), wanted.order, filename=filename, names=wanted.csv_names
        )


def read_route(router: APIRouter, answer: type[BaseModel], *, of: Any, scope: str, show: Show | None = None) -> None:
    """Add one thing by its id, with its version as ETag, where it has one: what never changes has none."""
    noun = noun_of(of)
    answers = show or _shown_by(answer)

    @router.get(f"/{{{id_name(noun)}}}", description=f"One {noun}.")
    async def read(
        row_id: Annotated[UUID, Path(alias=id_name(noun))],
        session: SessionDep,
        response: Response,
        _: Annotated[Actor, requires(scope)],
    ) -> answer:  # type: ignore[valid-type]
        row = await get_row(session, of, row_id)
        if hasattr(row, "version"):
            response.headers["etag"] = etag(row.version)
        [shown] = await answers(session, [row])
        return shown  # type: ignore[no-any-return]


def history_route(router: APIRouter, *, of: Any, scope: str, first_change: First | None = None) -> None:
    """Add the history of one thing."""
    noun = noun_of(of)

    @router.get(f"/{{{id_name(noun)}}}/history", description=f"Every change of one {noun}: who, when, what and why.")
    async def history(
        row_id: Annotated[UUID, Path(alias=id_name(noun))],
        session: SessionDep,
        query: Annotated[HistoryQuery, Query()],
        _: Annotated[Actor, requires(scope)],
    ) -> Page[ChangeOut]:
        row = await get_row(session, of, row_id)
        first = [first_change(row)] if first_change is not None and query.cursor is None else []
        return await history_page(session, row_id, query, first=first)


def _shown_by(answer: type[BaseModel]) -> Show:
    async def show(_: AsyncSession, rows: Sequence[Any]) -> list[Any]:
        return [answer.of(row) for row in rows]  # type: ignore[attr-defined]

    return show


def id_name(noun: str) -> str:
    """The name of a thing's id in an address: `dunning_run_id`."""
    return f"{noun.replace(' ', '_')}_id"
