"""A stored file, read batch by batch in a child process while the database works on the batch before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import Any, Final

from council_common.database.sessions import Sessions
from council_common.imports import Problem, Refusal, UnreadableFile
from council_common.runtime.child_process import ChildEnded, ChildProcess

from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.file_reader import (
    CloseFile,
    LineWriter,
    NextBatch,
    Piece,
    ReadBatch,
)
from invoice_service.intake.invoice_imports.rules import InDoubt, Profile
from invoice_service.intake.invoice_imports.tables import InvoiceImport
from invoice_service.intake.invoice_imports.understanding import OpenedFile, OpenFile, SavedReading

_PIECE_SECONDS: Final = 60.0
_UNUSED_SECONDS: Final = 20.0


def reader_process(*, answer_seconds: float) -> ChildProcess:
    """A process that reads files."""
    return ChildProcess(
        "invoice_service.intake.invoice_imports.file_reader",
        answer_seconds=answer_seconds,
        mebibytes=2_048,
        packages=("council_common.imports",),
    )


READER: Final = reader_process(answer_seconds=120.0)
"""Reads the files of this process, whichever of them has its turn."""


class PreparedBatch:
    """A batch ready to be stored: what was `read`, its drafts, and whether a total in it agrees with the lines before.

    `total_agrees` is None where the batch holds no total.
    """

    def __init__(self, read: ReadBatch, writer: LineWriter, *, sum_before: int) -> None:
        self.read = read
        self.drafts = list(map(Draft._make, read.drafts))
        self.total_agrees: bool | None = None
        if read.total is not None:
            total_pence, lines_pence = read.total
            self.total_agrees = sum_before + lines_pence == total_pence
        self._writer = writer

    def refusals(self, draft: Draft, problem: Problem) -> list[Refusal]:
        """The lines of a draft that is not accepted, with their values as they can be sent again."""
        lines = draft.row_lines or (draft.line_number,)
        return [
            self._writer.refusal(line, (problem,), self._cells[place])
            for place, line in enumerate(lines, start=draft.place)
        ]

    @cached_property
    def _cells(self) -> list[list[str]]:
        cells: list[list[str]] = json.loads(self.read.cells)
        return cells


class FileReading:
    """One import's file, opened behind the last line that was stored. `next` gives its batches, then None."""

    def __init__(
        self,
        sessions: Sessions,
        import_: InvoiceImport,
        *,
        after_line: int,
        today: date,
        saved: Sequence[SavedReading] = (),
    ) -> None:
        self.last_line = after_line
        self._sessions = sessions
        self._file = OpenFile(
            import_id=import_.id,
            format=import_.format.value,
            profile=import_.profile,
            mapping=import_.mapping or {} if import_.reading is None else import_.reading["mapping"],
            after_line=after_line,
            today=today,
            date_orders=None if import_.reading is None else import_.reading["date_orders"],
            saved=tuple(saved) if import_.reading is None else (),
        )
        self._sum_before = import_.net_pence_sum + import_.refused_pence_sum
        self._loop = asyncio.get_running_loop()
        self.opened: OpenedFile | None = None
        self._coming: asyncio.Future[PreparedBatch | None] | None = None

    async def open(self) -> None:
        """Read the header, and all of the file for its dates. Raises UnreadableFile, InDoubt and ChildEnded."""
        try:
            self.opened = await self._ask(self._file)
        except UnreadableFile as unreadable:
            if unreadable.code != "missing-columns" or self._file.profile is Profile.PUBLISHED_SPEND:
                raise
            expected = f"{unreadable.expected}; or mapping={{...}} with the name that the file has for it"
            raise UnreadableFile(unreadable.code, unreadable.detail, expected) from unreadable
        if self.opened is not None and self.opened.doubts:
            raise InDoubt(self.opened.doubts)

    async def next(self) -> PreparedBatch | None:
        """The next batch, None at the end; the one after it is being read meanwhile.

        Raises UnreadableFile, ChildEnded and what fetching a piece raised: then the reading is at its end.
        """
        coming = self._coming or self._begin()
        prepared = await coming
        self._coming = self._begin() if prepared is not None else coming
        if prepared is not None:
            self.last_line = prepared.read.last_line
        return prepared

    async def close(self) -> None:
        """Let go of the file; a batch that is being read is waited for and forgotten."""
        if self._coming is not None:
            await asyncio.gather(self._coming, return_exceptions=True)
        if READER.is_running:
            with suppress(ChildEnded):
                await self._ask(CloseFile(self._file.import_id))

    def _begin(self) -> asyncio.Future[PreparedBatch | None]:
        return asyncio.ensure_future(asyncio.to_thread(self._next))

    def _next(self) -> PreparedBatch | None:
        read = READER.ask(NextBatch(self._file.import_id), self._piece)
        if read is None or self.opened is None:
            return None
        writer = LineWriter(self._file.format, self.opened.delimiter, self.opened.fields)
        return PreparedBatch(read, writer, sum_before=self._sum_before)

    async def _ask(self, request: OpenFile | CloseFile) -> Any:
        return await asyncio.to_thread(READER.ask, request, self._piece)

    def _piece(self, piece: Piece) -> bytes:
        """This thread waits while the event loop fetches it."""
        return asyncio.run_coroutine_threadsafe(self._chunk(piece), self._loop).result(_PIECE_SECONDS)

    async def _chunk(self, piece: Piece) -> bytes:
        async with self._sessions() as session:
            return await store.read_chunk(session, piece.import_id, piece.number)


def end_unused_reader() -> None:
    """End the child that reads, if no file was read for a while."""
    READER.end(unused_for=_UNUSED_SECONDS)
