"""Notes over HTTP, as a sub-resource of what they are about, and the timeline of that."""

# Not `from __future__ import annotations`: the routes' types are the resource's, known when its routes are made.
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from council_common.database.rows import get_row, noun_of
from council_common.identity.actor import Actor
from council_common.notes.lists import NoteList
from council_common.notes.schemas import NoteIn, NoteOut, TimelineEntryOut
from council_common.notes.store import corrections_of, get_note, timeline_page
from council_common.notes.tables import Note
from council_common.notes.usecases import add_note
from council_common.web.acts import Act, acting
from council_common.web.csv_export import csv_export
from council_common.web.dependencies import RuntimeDep, SessionDep, requires
from council_common.web.history import ChangeOut, HistoryQuery
from council_common.web.keyset import Page
from council_common.web.resource_routes import CSV_RESPONSE, First, id_name

_NOTE: Any = Note.__table__  # type: ignore[attr-defined]
_WHOLE = NoteList.whole()


def note_routes(
    router: APIRouter,
    *,
    of: Any,
    read: str,
    write: str,
    first_change: First | None = None,
) -> None:
    """Add `POST` and `GET /{id}/notes`, its `export.csv`, one note by its id, and `GET /{id}/timeline` to a resource.

    `of` is the thing's table, `read` and `write` are the scopes, `first_change` is as in `reading_routes`.
    """
    _write_route(router, of=of, scope=write)
    _reading_routes(router, of=of, scope=read)
    _timeline_route(router, of=of, scope=read, first_change=first_change)


def _write_route(router: APIRouter, *, of: Any, scope: str) -> None:
    about, thing_id = str(of.__tablename__), _thing_id(of)

    @router.post(_address(of), status_code=201)
    async def write_note(
        about_id: Annotated[UUID, thing_id], note: NoteIn, act: Annotated[Act, acting(scope)]
    ) -> NoteOut:
        """Write a note about it: who, when, by which channel and in which words; a note is never changed or deleted.

        One that was wrong is put right by another, which names it in `corrects_id`; once. Bank details are refused.
        """
        await get_row(act.session, of, about_id)
        made = await add_note(act.session, about, about_id, **note.model_dump(), by=act.by, at=act.at)
        act.answers(f"{router.prefix}/{about_id}/notes/{made.id}", 1)
        return NoteOut.of(made, None)


def _reading_routes(router: APIRouter, *, of: Any, scope: str) -> None:
    about, thing_id, address = str(of.__tablename__), _thing_id(of), _address(of)

    @router.get(address, description=NoteList.__doc__)
    async def list_notes(
        about_id: Annotated[UUID, thing_id],
        session: SessionDep,
        query: Annotated[NoteList, Query()],
        _: Annotated[Actor, requires(scope)],
    ) -> Page[NoteOut]:
        await get_row(session, of, about_id)
        rows, following = await query.page(session, within=_about(about, about_id))
        return Page(items=await _shown(session, rows), next=following)

    @router.get(f"{address}/export.csv", response_class=StreamingResponse, responses=CSV_RESPONSE)
    async def export_notes(
        about_id: Annotated[UUID, thing_id],
        runtime: RuntimeDep,
        session: SessionDep,
        query: Annotated[_WHOLE, Query()],  # type: ignore[valid-type]
        _: Annotated[Actor, requires(scope)],
    ) -> StreamingResponse:
        """All its notes as CSV for people: the same filters and order."""
        await get_row(session, of, about_id)
        wanted: NoteList = query
        statement = wanted.csv_statement(within=_about(about, about_id))
        return await csv_export(runtime, statement, wanted.order, filename=f"{about}-notes.csv")

    @router.get(f"{address}/{{note_id}}")
    async def read_note(
        about_id: Annotated[UUID, thing_id], note_id: UUID, session: SessionDep, _: Annotated[Actor, requires(scope)]
    ) -> NoteOut:
        """One note."""
        [shown] = await _shown(session, [await get_note(session, about, about_id, note_id)])
        return shown


def _timeline_route(router: APIRouter, *, of: Any, scope: str, first_change: First | None) -> None:
    about, noun, thing_id = str(of.__tablename__), noun_of(of), _thing_id(of)

    @router.get(
        f"/{{{id_name(noun)}}}/timeline",
        description=f"Every change of one {noun} and every note about it, oldest first.",
    )
    async def timeline(
        about_id: Annotated[UUID, thing_id],
        session: SessionDep,
        query: Annotated[HistoryQuery, Query()],
        _: Annotated[Actor, requires(scope)],
    ) -> Page[TimelineEntryOut]:
        row = await get_row(session, of, about_id)
        first = [first_change(row)] if first_change is not None and query.cursor is None else []
        entries, following = await timeline_page(
            session, about, about_id, limit=query.limit_behind(first), cursor=query.cursor
        )
        notes = {note.id: note for note in await _shown(session, [note for _, note in entries if note])}
        items = [_changed(change) for change in first]
        items += [_noted(notes[note.id]) if note else _changed(ChangeOut.of(change)) for change, note in entries]
        return Page(items=items, next=following)


def _thing_id(of: Any) -> Any:
    return Path(alias=id_name(noun_of(of)))


def _address(of: Any) -> str:
    return f"/{{{id_name(noun_of(of))}}}/notes"


def _about(about: str, about_id: UUID) -> Any:
    return (_NOTE.c.about == about) & (_NOTE.c.about_id == about_id)


async def _shown(session: AsyncSession, notes: Sequence[Any]) -> list[NoteOut]:
    corrections = await corrections_of(session, [note.id for note in notes])
    return [NoteOut.of(note, corrections.get(note.id)) for note in notes]


def _changed(change: ChangeOut) -> TimelineEntryOut:
    return TimelineEntryOut(at=change.at, by=change.by, by_name=change.by_name, change=change)


def _noted(note: NoteOut) -> TimelineEntryOut:
    return TimelineEntryOut(at=note.recorded_at, by=note.recorded_by, by_name=note.recorded_by_name, note=note)
