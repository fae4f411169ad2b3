"""The archives of published spending, file by file, and the figures another program took from each file."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

ARCHIVES = {
    "bradford": "bradford.tar.gz",
    "cabinetoffice": "cabinetoffice.tar.gz",
    "calderdale": "calderdale-2009-2016.tar.gz",
    "leeds": "leeds.tar.gz",
    "manchester": "manchester.tar.gz",
    "salford": "salford.tar.gz",
}
BODIES = tuple(ARCHIVES)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as a public body published it."""

    body: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """What control_totals.csv says of a file; a line of its own total counts as a line and is in the sum."""

    lines: int
    sum_pence: int


def published_files(folder: Path, body: str, *, limit: int | None) -> Iterator[PublishedFile]:
    """A body's files in the order of its archive, one in memory at a time; nothing is unpacked on disk."""
    given = 0
    with tarfile.open(folder / ARCHIVES[body]) as archive:
        for member in archive:
            if not member.name.endswith(".csv"):
                continue
            if limit is not None and given >= limit:
                return
            file = archive.extractfile(member)
            if file is not None:
                given += 1
                yield PublishedFile(body, member.name, file.read())


def names_in(folder: Path, body: str, *, limit: int | None) -> list[str]:
    """The names of a body's files; some that control_totals.csv lists were left out of the archive."""
    with tarfile.open(folder / ARCHIVES[body]) as archive:
        return [name for name in archive.getnames() if name.endswith(".csv")][:limit]


def control_figures(folder: Path) -> dict[str, Control]:
    """The control figures by file name."""
    with (folder / "control_totals.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["file"]: _control(row) for row in csv.DictReader(file)}


def _control(row: dict[str, str]) -> Control:
    return Control(int(row["data_rows"]), int((Decimal(row["sum_amount"] or "0") * 100).to_integral_value()))
