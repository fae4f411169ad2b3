import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
import xlsxwriter
from council_common.imports import DoubtfulFile, MappedField, Mapping, UnreadableFile
from workbook_files import GOOD, HEAD, SHEET, a_workbook, moved, part_of, with_part

Read = Callable[..., Any]


def refused_code(read: Read, content: bytes) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, format="xlsx")
    return refused.value.code


def texts(read: Read, *cells: object, code: str | None = None, workbook: bytes | None = None) -> list[str]:
    """What arrives of cells in a column of text, under a number format."""
    book = workbook or a_workbook(("Cell",), *((cell,) for cell in cells), formats={} if code is None else {0: code})
    mapping = Mapping(fields=(MappedField(name="cell", columns=("Cell",)),))
    return [row[0] for row in read(book, format="xlsx", mapping=mapping).rows]


def test_cells_are_exact_and_row_numbers_are_excels(read: Read) -> None:
    rows = (
        HEAD,
        ("A1", date(2024, 1, 31), 1234.5, "B"),
        (20002221, "31/01/2024", 0.1 + 0.2, "C"),
        ("A3", date(2024, 1, 31), "(1,234.56)", None),
        (None, None, 0.24, None),
    )
    outcome = read(a_workbook(*rows, before=3), format="xlsx")
    assert (outcome.lines, outcome.reading.header_line) == ([5, 6, 7], 4)
    assert [row[2] for row in outcome.rows] == [123450, 30, -123456]
    assert outcome.rows[1][:2] == ("20002221", date(2024, 1, 31))
    assert outcome.totals[-1].amount_pence == outcome.totals[-1].sum_pence == 24


def test_fractions_of_a_penny_are_refused_with_the_row_as_csv(read: Read) -> None:
    outcome = read(a_workbook(HEAD, ("A1", date(2024, 1, 31), 1.005, "B, C")), format="xlsx")
    assert [(one.line_number, one.code) for one in outcome.refusals] == [(2, "too-many-decimals")]
    assert outcome.refusals[0].raw == 'A1,2024-01-31,1.005,"B, C"'


def _two_sheets(*, hidden: tuple[str, ...] = ()) -> bytes:
    book = a_workbook(HEAD, ("A1", date(2024, 1, 31), 1, "B"), sheets=("One", "Two"), hidden=hidden)
    first = part_of(book, SHEET).replace(b'<v>1</v></c><c r="D2"', b'<v>2</v></c><c r="D2"')
    return with_part(book, SHEET, first)


def test_of_two_sheets_with_the_columns_the_sender_is_asked(read: Read, mapping: Mapping) -> None:
    with pytest.raises(DoubtfulFile) as asked:
        read(_two_sheets(), format="xlsx")
    assert [(doubt.field, doubt.candidates) for doubt in asked.value.doubts] == [("sheet", ("One", "Two"))]
    for sheet, net in (("One", 200), ("Two", 100)):
        outcome = read(_two_sheets(), format="xlsx", mapping=mapping.model_copy(update={"sheet": sheet}))
        assert ([row[2] for row in outcome.rows], outcome.reading.sheet) == ([net], sheet)
    with pytest.raises(UnreadableFile) as refused:
        read(_two_sheets(), format="xlsx", mapping=mapping.model_copy(update={"sheet": "Three"}))
    assert refused.value.code == "sheet-not-found"


def test_a_hidden_sheet_is_not_read(read: Read) -> None:
    assert [row[2] for row in read(_two_sheets(hidden=("One",)), format="xlsx").rows] == [100]


def test_a_cover_sheet_before_the_data_is_passed_over(read: Read) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        book.add_worksheet("Cover").write_column(0, 0, ["Payments over £500", "Contact: the finance team"])
        data = book.add_worksheet("Payments")
        for number, row in enumerate((HEAD, ("A1", date(2024, 1, 31), 1, "B"))):
            data.write_row(number, 0, row)
    outcome = read(out.getvalue(), format="xlsx")
    assert ([row[0] for row in outcome.rows], outcome.reading.sheet) == (["A1"], "Payments")


def test_rows_that_hold_nothing_are_blank_and_those_at_the_end_are_not_there(read: Read) -> None:
    rows = (HEAD, ("A1", date(2024, 1, 31), 1, "B"), (), (None, None, None, ""), ("A2", date(2024, 1, 31), 1, "B"))
    outcome = read(a_workbook(*rows, (), (), formats={1: "dd/mm/yyyy"}), format="xlsx")
    assert (outcome.lines, outcome.reading.counts.blank, outcome.last_lines) == ([2, 5], 2, [5])


@pytest.mark.parametrize(
    ("code", "cell", "shown"),
    [
        ("0%", 0.2, "20%"),
        ("0%", 0.175, "17.5%"),
        ("0.00%", 0.2, "20.00%"),
        ("0.00%", -0.05, "-5.00%"),
        ("00000", 42, "00042"),
        ("00-00-00", 200_415, "20-04-15"),
        ("00-00-00", 1_234_567, "123-45-67"),
        ('"INV-"0000', 7, "INV-0007"),
        ("£#,##0.00", 1234.5, "£1,234.50"),
        ("£#,##0.00", 1234.567, "£1,234.567"),
        ("£#,##0", -1234, "-£1,234"),
        ("£#,##0.00;[Red]£#,##0.00", -5, "-£5.00"),
        ("£#,##0.00;[Red](£#,##0.00)", -5, "(£5.00)"),
        ('_-[$£-809]* #,##0.00_-;-[$£-809]* #,##0.00_-;_-[$£-809]* "-"??_-;_-@_-', 1234567.8, "£1,234,567.80"),
        ('_-[$£-809]* #,##0.00_-;-[$£-809]* #,##0.00_-;_-[$£-809]* "-"??_-;_-@_-', -12, "-£12.00"),
        ('_-[$£-809]* #,##0.00_-;-[$£-809]* #,##0.00_-;_-[$£-809]* "-"??_-;_-@_-', 0, "0"),
        ("#,##0.00 [$€-1]", 12, "12.00 €"),
        # What only groups, pads, hides or abbreviates the number leaves it as it is.
        ("General", 20002221, "20002221"),
        ("#,##0", 20002221, "20002221"),
        ("#,##0.00", 1234.5, "1234.5"),
        ("#,##0_);(#,##0)", -1234, "-1234"),
        ("0.00", 1.005, "1.005"),
        (";;;", 12, "12"),
        ('£#,##0,"k"', 1_234_567, "1234567"),
        ("0.00E+00", 123456, "123456"),
        ("# ?/?", 0.5, "0.5"),
        ("[>100]0%;0", 0.2, "0.2"),
        ("@", 42, "42"),
    ],
)
def test_a_number_is_what_the_sheet_shows_and_no_digit_is_lost(read: Read, code: str, cell: float, shown: str) -> None:
    """Source: ECMA-376 part 1 §18.8.31."""
    assert texts(read, cell, code=code) == [shown]


@pytest.mark.parametrize(
    ("code", "cell", "shown"),
    [
        ("dd/mm/yyyy", date(2026, 3, 31), "2026-03-31"),
        ("mm/dd/yyyy", date(2026, 3, 31), "2026-03-31"),
        ("[$-809]dd mmmm yyyy;@", date(2026, 3, 31), "2026-03-31"),
        ("dd/mm/yyyy hh:mm", 46112.5, "2026-03-31T12:00:00"),
        ("hh:mm", time(9, 30), "09:30:00"),
        ("[h]:mm", timedelta(hours=30), "1 day, 6:00:00"),
        ("dd/mm/yyyy", -5, "-5"),
        ("dd/mm/yyyy", 3_000_000, "3000000"),
    ],
)
def test_a_day_arrives_as_that_day_whichever_way_round_it_is_shown(
    read: Read, code: str, cell: object, shown: str
) -> None:
    assert texts(read, cell, code=code) == [shown]


def test_a_calendar_that_begins_in_1904(read: Read) -> None:
    book = a_workbook(("Cell",), (date(2026, 3, 31),), options={"date_1904": True})
    assert texts(read, workbook=book) == ["2026-03-31"]


def test_truth_errors_and_formulas_arrive_as_they_are_shown(read: Read) -> None:
    """A formula's cell carries the value that was calculated last."""
    sheet = part_of(a_workbook(("Cell",), ("x",)), SHEET).replace(
        b"</row></sheetData>",
        b"</row>"
        b'<row r="3"><c r="A3" t="b"><v>1</v></c></row><row r="4"><c r="A4"><f>20+1</f><v>21</v></c></row>'
        b'<row r="5"><c r="A5" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>'
        b'<row r="6"><c r="A6" t="e"><v>#REF!</v></c></row>'
        b'<row r="7"><c r="A7" t="inlineStr"><is><r><t>in </t></r><rPh><t>no</t></rPh><r><t>line</t></r></is></c></row>'
        b'<row r="8"><c r="A8" t="d"><v>2026-03-31T00:00:00</v></c></row>'
        b'<row r="9"><c r="A9" t="str"><v>two_x000A_lines</v></c></row>'
        b"</sheetData>",
    )
    workbook = with_part(a_workbook(("Cell",), ("x",)), SHEET, sheet)
    # An error in a column of text is an empty cell, as in a CSV file; where an amount belongs it is refused.
    assert texts(read, workbook=workbook) == ["x", "true", "21", "ab", None, "in line", "2026-03-31", "two lines"]
    broken = part_of(GOOD, SHEET).replace(b"<v>1234.5</v>", b"<v>#REF!</v>").replace(b'<c r="C2"', b'<c r="C2" t="e"')
    assert [one.code for one in read(with_part(GOOD, SHEET, broken), format="xlsx").refusals] == ["spreadsheet-error"]


def test_texts_are_taken_run_by_run_with_their_escapes(read: Read) -> None:
    shared = "xl/sharedStrings.xml"
    book = a_workbook(("Cell",), ("x",))
    item = b'<si><r><t xml:space="preserve">a </t></r><rPh><t>no</t></rPh><r><t>b_x0041__x005F_x0041_</t></r></si>'
    content = part_of(book, shared).replace(b"<si><t>x</t></si>", item)
    assert texts(read, workbook=with_part(book, shared, content)) == ["a bA_x0041_"]


def test_a_strict_workbook_is_read_as_any_other(read: Read) -> None:
    """ECMA-376 part 1 names elements and relationships by other addresses than part 4, which Excel uses by itself."""
    strict = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/": b"http://purl.oclc.org/ooxml/officeDocument/",
    }
    book = GOOD
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        names = archive.namelist()
    for name in names:
        content = part_of(book, name)
        for transitional, other in strict.items():
            content = content.replace(transitional, other)
        book = with_part(book, name, content)
    assert read(book, format="xlsx").rows == read(GOOD, format="xlsx").rows


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


def test_parts_under_other_names_are_found(read: Read) -> None:
    assert read(moved(GOOD, SHEET, "xl/elsewhere/s.xml"), format="xlsx").lines == [2]
    capitals = moved(GOOD, SHEET, "xl/worksheets/SHEET1.XML")
    relationships = "xl/_rels/workbook.xml.rels"
    lower = re.sub(rb"SHEET1.XML", b"sheet1.xml", part_of(capitals, relationships))
    assert read(with_part(capitals, relationships, lower), format="xlsx").lines == [2]


def test_a_sheet_that_contradicts_itself_is_damaged(read: Read) -> None:
    sheet = part_of(GOOD, SHEET)
    for right, wrong in (
        (b'<row r="2"', b'<row r="1"'),
        (b'r="D2"', b'r="D1"'),
        (b'<c r="D2"', b'<c r="?2"'),
        (b"<v>1234.5</v>", b"<v>many</v>"),
        (b't="s"><v>0</v>', b't="s"><v>99</v>'),
        (b't="s"><v>0</v>', b't="s"><v>x</v>'),
    ):
        assert sheet.count(right) >= 1, right
        assert refused_code(read, with_part(GOOD, SHEET, sheet.replace(right, wrong, 1))) == "damaged-workbook", wrong
