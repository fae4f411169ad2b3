"""Workbooks for the tests: made whole, and then with a part replaced, moved or broken."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import xlsxwriter

HEAD = ("Number", "Paid On", "Net", "Supplier")
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def a_workbook(
    *rows: tuple[object, ...],
    before: int = 0,
    sheets: tuple[str, ...] = ("Payments",),
    hidden: tuple[str, ...] = (),
    formats: dict[int, str] | None = None,
    options: dict[str, object] | None = None,
) -> bytes:
    """A workbook with the same rows on every sheet; `formats` are number formats by column."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy", **(options or {})}) as book:
        by_column = {column: book.add_format({"num_format": code}) for column, code in (formats or {}).items()}
        for name in sheets:
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            else:
                sheet.activate()
            for number, row in enumerate(rows, start=before):
                for column, cell in enumerate(row):
                    sheet.write(number, column, cell, *([by_column[column]] if column in by_column else []))
    return out.getvalue()


GOOD = a_workbook(HEAD, ("A1", date(2024, 1, 31), 1234.5, "B"))


def with_part(workbook: bytes, name: str, content: bytes) -> bytes:
    """The workbook with another content of one part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, content if part.filename == name else old.read(part))
    return out.getvalue()


def part_of(workbook: bytes, name: str) -> bytes:
    """A part's content."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return archive.read(name)


def moved(workbook: bytes, name: str, to: str) -> bytes:
    """The workbook with a part under another name, and everything that points to it changed."""
    out = io.BytesIO()
    old_name, new_name = name.removeprefix("xl/").encode(), to.removeprefix("xl/").encode()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part).replace(old_name, new_name)
            new.writestr(to if part.filename == name else part.filename, content)
    return out.getvalue()
