"""How a file would be read, without storing anything: in a child process of its own that ends with the answer."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any, Final

from council_common.ids import new_id
from council_common.imports import Refusal, UnreadableFile
from council_common.runtime.child_process import ChildEnded

from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.file_reader import CloseFile, NextBatch, Piece, ReadBatch
from invoice_service.intake.invoice_imports.file_reading import reader_process
from invoice_service.intake.invoice_imports.rules import FileNotReadable
from invoice_service.intake.invoice_imports.understanding import OpenedFile, OpenFile, SavedReading
from invoice_service.intake.invoice_imports.upload import CHUNK_BYTES, NewImport, spooled

FIRST_RECORDS: Final = 10
MOST_LINES: Final = 200_000
_AT_ONCE: Final = asyncio.Semaphore(2)


@dataclass(slots=True)
class Preview:
    """How a file is understood, its first records, and what all of its lines come to.

    `is_whole` is whether all lines were looked at. A file in doubt has no records: how they would be stored is open.
    """

    opened: OpenedFile
    drafts: list[Draft] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    net_pence: int = 0
    refused_pence: int = 0
    file_total_pence: int | None = None
    is_whole: bool = True

    def add(self, read: ReadBatch) -> None:
        """Count one batch."""
        drafts = list(map(Draft._make, read.drafts))
        self.drafts += drafts[: FIRST_RECORDS - len(self.drafts)]
        self.refusals += read.refused[: FIRST_RECORDS - len(self.refusals)]
        self.accepted += sum(draft.rows for draft in drafts)
        self.refused += len(read.refused)
        self.skipped += read.skipped
        self.net_pence += sum(draft.net_pence for draft in drafts)
        self.refused_pence += read.refused_pence
        if read.total is not None:
            self.file_total_pence = read.total[0]


async def preview_file(
    new: NewImport, body: AsyncIterator[bytes], *, saved: Sequence[SavedReading], today: date
) -> Preview:
    """Read a file as an import would, and store nothing. Raises EmptyUpload and FileNotReadable."""
    with tempfile.SpooledTemporaryFile(max_size=CHUNK_BYTES) as spool:
        await spooled(body, spool)
        file = OpenFile(
            import_id=new_id(),
            format=new.format.value,
            profile=new.profile,
            mapping=new.mapping or {},
            after_line=0,
            today=today,
            date_orders=None,
            saved=tuple(saved),
        )
        async with _AT_ONCE:
            return await asyncio.to_thread(_read, file, spool)


def _read(file: OpenFile, spool: IO[bytes]) -> Preview:
    child = reader_process(answer_seconds=60.0)

    def piece(asked: Piece) -> bytes:
        spool.seek(asked.number * CHUNK_BYTES)
        return spool.read(CHUNK_BYTES)

    def ask(request: Any) -> Any:
        return child.ask(request, piece)

    try:
        preview = Preview(ask(file))
        while not preview.opened.doubts and preview.is_whole and (read := ask(NextBatch(file.import_id))) is not None:
            preview.add(read)
            preview.is_whole = read.last_line < MOST_LINES
        ask(CloseFile(file.import_id))
    except UnreadableFile as wrong:
        raise FileNotReadable(wrong.code, wrong.detail, wrong.expected) from None
    except ChildEnded:
        raise FileNotReadable("too-much-work", "reading the file took too long", "a smaller file") from None
    finally:
        child.end()
    return preview
