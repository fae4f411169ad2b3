import io
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from council_common.imports import Limits, UnreadableFile
from council_common.imports.xlsx_guard import check_workbook

Read = Callable[..., Any]
HEAD = ("Number", "Paid On", "Net", "Supplier")


def a_workbook(*rows: tuple[object, ...], before: int = 0, sheets: tuple[str, ...] = ("Payments",)) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows, start=before):
                for column, cell in enumerate(row):
                    sheet.write(number, column, cell)
    return out.getvalue()


def with_part(workbook: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, content if part.filename == name else old.read(part))
    return out.getvalue()


def part_of(workbook: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return archive.read(name)


SHEET = "xl/worksheets/sheet1.xml"
GOOD = a_workbook(HEAD, ("A1", date(2024, 1, 31), 1234.5, "B"))


def refused_code(read: Read, content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, format="xlsx", limits=limits)
    return refused.value.code


def test_cells_are_exact_and_row_numbers_are_excels(read: Read) -> None:
    rows = (
        HEAD,
        ("A1", date(2024, 1, 31), 1234.5, "B"),
        (20002221, "31/01/2024", 0.1 + 0.2, "C"),
        ("A3", date(2024, 1, 31), "(1,234.56)", None),
        (None, None, 0.24, None),
    )
    outcome = read(a_workbook(*rows, before=3), format="xlsx")
    assert (outcome.lines, outcome.reading.header_line, outcome.reading.sheet) == ([5, 6, 7], 4, "Payments")
    assert [row[2] for row in outcome.rows] == [123450, 30, -123456]
    assert outcome.rows[1][:2] == ("20002221", date(2024, 1, 31))
    assert outcome.notes[-1].amount_pence == outcome.notes[-1].sum_pence == 24


def test_fractions_of_a_penny_are_refused_with_the_row_as_csv(read: Read) -> None:
    outcome = read(a_workbook(HEAD, ("A1", date(2024, 1, 31), 1.005, "B, C")), format="xlsx")
    assert [(one.line_number, one.code) for one in outcome.refusals] == [(2, "too-many-decimals")]
    assert outcome.refusals[0].raw == 'A1,2024-01-31,1.005,"B, C"'


def test_a_sheet_is_chosen_by_name(read: Read) -> None:
    book = a_workbook(HEAD, ("A1", date(2024, 1, 31), 1, "B"), sheets=("One", "Two"))
    assert read(book, format="xlsx").reading.sheet == "One"
    assert read(book, format="xlsx", sheet="Two", start_after_line=2).rows == []
    with pytest.raises(UnreadableFile, match="no sheet 'Three'"):
        read(book, format="xlsx", sheet="Three")


def test_other_files_with_the_name_of_a_workbook(read: Read) -> None:
    ods = io.BytesIO()
    with zipfile.ZipFile(ods, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<x/>")
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    assert refused_code(read, b"") == "empty-file"
    assert refused_code(read, b"Number,Net\n1,2\n") == "not-a-workbook"
    assert refused_code(read, ole) == "old-workbook"
    assert refused_code(read, ole + "EncryptedPackage".encode("utf-16-le")) == "encrypted-workbook"
    assert refused_code(read, ods.getvalue()) == "open-document"
    assert refused_code(read, with_part(GOOD, SHEET, b"<worksheet><sheetData><row")) == "damaged-workbook"
    assert refused_code(read, GOOD[: len(GOOD) // 2]) == "damaged-workbook"
    assert refused_code(read, b"PK\x03\x04" + bytes(100)) == "damaged-workbook"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(read: Read) -> None:
    assert refused_code(read, with_part(GOOD, SHEET, b" " * 30_000_000)) == "zip-bomb"
    small = Limits(workbook_unpacked_bytes=2_000, workbook_parts=2_000)
    assert refused_code(read, GOOD, small) == "zip-bomb"
    assert refused_code(read, GOOD, Limits(workbook_parts=3)) == "zip-bomb"
    assert refused_code(read, GOOD, Limits(workbook_bytes=1_000)) == "workbook-too-large"


def test_an_archive_that_lies_about_a_size_is_refused() -> None:
    content = bytearray(with_part(GOOD, SHEET, part_of(GOOD, SHEET) + b" " * 100_000))
    entry = content.index(b"PK\x01\x02")
    while content[entry + 46 : entry + 46 + len(SHEET)] != SHEET.encode():
        entry = content.index(b"PK\x01\x02", entry + 4)
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    with pytest.raises(UnreadableFile, match="not as long as the archive says"):
        check_workbook(io.BytesIO(content), Limits())


def test_parts_that_share_their_bytes_are_refused() -> None:
    content = bytearray(GOOD)
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    with pytest.raises(UnreadableFile, match="parts that overlap"):
        check_workbook(io.BytesIO(content), Limits())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entities_are_refused(read: Read, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    text = f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{laughs}]><worksheet><c><v>&l9;</v></c></worksheet>'
    assert refused_code(read, with_part(GOOD, SHEET, text.encode(encoding))) == "xml-entities"
    shared = "xl/sharedStrings.xml"
    external = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + part_of(GOOD, shared)
    assert refused_code(read, with_part(GOOD, shared, external)) == "xml-entities"


@pytest.mark.parametrize(
    "reference", ["XFD1", "A1048577", "CV1048576", "XFD000001048576", "A0001048577", "AAAAAAAAAAAAAAAAAA1"]
)
def test_a_cell_far_outside_reserves_nothing(read: Read, reference: str) -> None:
    sheet = part_of(GOOD, SHEET).replace(b'r="D2"', f"r = '{reference}'".encode())
    assert refused_code(read, with_part(GOOD, SHEET, sheet)) == "sheet-too-large"


@pytest.mark.parametrize(
    "cell",
    [
        b'<c x=">" r="XFD1048576">',
        b"""<c a=" r='A1'" r="XFD1048576">""",
        b'<a-b:c r="XFD1048576">',
        b'<' + b"p" * 30 + b':c r="XFD1048576">',
    ],
)  # fmt: skip
def test_a_cell_far_outside_in_disguise(cell: bytes) -> None:
    sheet = part_of(GOOD, SHEET).replace(b'<c r="D2"', cell.rstrip(b">"))
    assert sheet != part_of(GOOD, SHEET)
    with pytest.raises(UnreadableFile, match="the sheet reaches to row 1,048,576"):
        check_workbook(io.BytesIO(with_part(GOOD, SHEET, sheet)), Limits())


def moved(workbook: bytes, name: str, to: str) -> bytes:
    """The workbook with a part under another name, and everything that points to it changed."""
    out = io.BytesIO()
    old_name, new_name = name.removeprefix("xl/").encode(), to.removeprefix("xl/").encode()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part).replace(old_name, new_name)
            new.writestr(to if part.filename == name else part.filename, content)
    return out.getvalue()


def test_a_sheet_under_another_name_is_guarded_too(read: Read) -> None:
    elsewhere = moved(GOOD, SHEET, "xl/elsewhere/s.xml")
    assert read(elsewhere, format="xlsx").lines == [2]
    far = with_part(GOOD, SHEET, part_of(GOOD, SHEET).replace(b'r="D2"', b'r="XFD1048576"'))
    assert refused_code(read, moved(far, SHEET, "xl/elsewhere/s.xml")) == "sheet-too-large"


def test_cells_that_do_not_say_where_they_stand_are_counted(read: Read) -> None:
    """ECMA-376 part 1 §18.3.1.4: `r` is optional."""
    bare = re.sub(rb' r="[A-D]?[0-9]+"', b"", part_of(GOOD, SHEET))
    assert read(with_part(GOOD, SHEET, bare), format="xlsx").lines == [2]
    rows = b"<row>" + b"<c><v>1</v></c>" * 10 + b"</row>"
    many = with_part(GOOD, SHEET, bare.replace(b"</sheetData>", rows * 100 + b"</sheetData>"))
    assert refused_code(read, many, Limits(workbook_rows=20, columns=5)) == "sheet-too-large"
    assert refused_code(read, many, Limits(workbook_cells=1_000)) == "sheet-too-large"
    assert read(many, format="xlsx", limits=Limits(workbook_cells=1_020)).reading.counts.records > 0


def test_a_cell_cut_in_two_by_the_end_of_a_piece_is_seen() -> None:
    sheet = part_of(GOOD, SHEET).replace(b'r="D2"', b'r="XFD1"')
    place = sheet.index(b'r="XFD1"')
    for cut in range(256 * 1024 - place - 10, 256 * 1024 - place + 2):
        filled = sheet.replace(b"<sheetData>", b" " * cut + b"<sheetData>")
        with pytest.raises(UnreadableFile, match="column 16,384"):
            check_workbook(io.BytesIO(with_part(GOOD, SHEET, filled)), Limits(workbook_ratio=10_000))


def test_one_long_text_in_many_cells_is_refused(read: Read) -> None:
    rows = [("A1", date(2024, 1, 31), 1, "long " * 2_000)] * 2_000
    book = a_workbook(HEAD, *rows)
    assert refused_code(read, book, Limits(workbook_text_chars=10_000_000)) == "zip-bomb"
    renamed = moved(book, "xl/sharedStrings.xml", "xl/texts.xml")
    assert refused_code(read, renamed, Limits(workbook_text_chars=10_000_000)) == "zip-bomb"
