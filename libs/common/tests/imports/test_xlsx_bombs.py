"""No workbook takes the memory of the worker or a time without end."""

import re
import struct
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from council_common.imports import Limits, Mapping, UnreadableFile, read_records
from workbook_files import GOOD, HEAD, MAIN, SHEET, a_workbook, moved, part_of, with_part

Read = Callable[..., Any]


def refused_code(read: Read, content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, format="xlsx", limits=limits)
    return refused.value.code


def test_a_zip_bomb_is_refused_before_it_is_unpacked(read: Read) -> None:
    assert refused_code(read, with_part(GOOD, SHEET, b" " * 30_000_000)) == "zip-bomb"
    small = Limits(workbook_unpacked_bytes=2_000, workbook_parts=2_000)
    assert refused_code(read, GOOD, small) == "zip-bomb"
    assert refused_code(read, GOOD, Limits(workbook_parts=3)) == "zip-bomb"
    assert refused_code(read, GOOD, Limits(workbook_bytes=1_000)) == "workbook-too-large"


@pytest.mark.parametrize("claimed", [10, 10_000_000])
def test_an_archive_that_lies_about_a_size_is_refused(read: Read, claimed: int) -> None:
    content = bytearray(with_part(GOOD, SHEET, part_of(GOOD, SHEET) + b" " * 100_000))
    entry = content.index(b"PK\x01\x02")
    while content[entry + 46 : entry + 46 + len(SHEET)] != SHEET.encode():
        entry = content.index(b"PK\x01\x02", entry + 4)
    content[entry + 24 : entry + 28] = struct.pack("<I", claimed)
    with pytest.raises(UnreadableFile, match="not as long as the archive says"):
        read(bytes(content), format="xlsx", limits=Limits(workbook_ratio=100_000))


def test_a_flipped_bit_is_found_before_a_record_is_read(read: Read) -> None:
    rows = [(f"A{number}", date(2024, 1, 31), number, "B") for number in range(5_000)]
    content = bytearray(a_workbook(HEAD, *rows))
    entry = content.index(SHEET.encode())
    content[entry + 50_000] ^= 1
    assert refused_code(read, bytes(content)) == "damaged-workbook"


def test_parts_that_share_their_bytes_are_refused(read: Read) -> None:
    content = bytearray(GOOD)
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    with pytest.raises(UnreadableFile, match="parts that overlap"):
        read(bytes(content), format="xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entities_are_refused(read: Read, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    text = f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{laughs}]><worksheet><c><v>&l9;</v></c></worksheet>'
    assert refused_code(read, with_part(GOOD, SHEET, text.encode(encoding))) == "xml-entities"
    for part in ("xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        xml = part_of(GOOD, part).partition(b"?>")[2]
        external = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + xml
        assert refused_code(read, with_part(GOOD, part, external)) == "xml-entities"


@pytest.mark.parametrize(
    "reference", ["XFD1", "A1048577", "CV1048576", "XFD000001048576", "A0001048577", "AAAAAAAAAAAAAAAAAA1"]
)
def test_a_cell_far_outside_reserves_nothing(read: Read, reference: str) -> None:
    sheet = part_of(GOOD, SHEET).replace(b'r="D2"', f"r = '{reference}'".encode())
    assert refused_code(read, with_part(GOOD, SHEET, sheet)) == "sheet-too-large"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (b'<c x=">" r="XFD1048576"', b"</c>"),
        (b"""<c a=" r='A1'" r="XFD1048576\"""", b"</c>"),
        (b'<a-b:c r="XFD1048576"', b"</a-b:c>"),
        (b"<" + b"p" * 30 + b':c r="XFD1048576"', b"</" + b"p" * 30 + b":c>"),
    ],
)  # fmt: skip
def test_a_cell_far_outside_in_disguise(read: Read, start: bytes, end: bytes) -> None:
    sheet = part_of(GOOD, SHEET)
    place = sheet.index(b'<c r="D2"')
    spaces = f' xmlns:a-b="{MAIN}" xmlns:{"p" * 30}="{MAIN}"'.encode()
    sheet = sheet[:place] + start + b">" + end + sheet[place:]
    sheet = sheet.replace(b"<worksheet", b"<worksheet" + spaces, 1)
    with pytest.raises(UnreadableFile, match="the sheet reaches to row 1,048,576"):
        read(with_part(GOOD, SHEET, sheet), format="xlsx")


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


def test_a_cell_cut_in_two_by_the_end_of_a_piece_is_seen(read: Read) -> None:
    sheet = part_of(GOOD, SHEET).replace(b'r="D2"', b'r="XFD1"')
    place = sheet.index(b'r="XFD1"')
    for cut in range(256 * 1024 - place - 10, 256 * 1024 - place + 2):
        filled = sheet.replace(b"<sheetData>", b" " * cut + b"<sheetData>")
        with pytest.raises(UnreadableFile, match="column 16,384"):
            read(with_part(GOOD, SHEET, filled), format="xlsx", limits=Limits(workbook_ratio=10_000))


def test_one_long_text_in_many_cells_is_refused(read: Read) -> None:
    rows = [("A1", date(2024, 1, 31), 1, "long " * 2_000)] * 2_000
    book = a_workbook(HEAD, *rows)
    assert refused_code(read, book, Limits(workbook_text_chars=10_000_000)) == "zip-bomb"
    renamed = moved(book, "xl/sharedStrings.xml", "xl/texts.xml")
    assert refused_code(read, renamed, Limits(workbook_text_chars=10_000_000)) == "zip-bomb"


def test_one_long_text_in_the_cells_of_one_row_is_copied_at_most_once(read: Read) -> None:
    """A row beyond its bound is refused as a record; the texts of its other cells are not even looked up."""
    shared = "xl/sharedStrings.xml"
    book = a_workbook(HEAD, tuple(["x" * 30_000] * 500))
    tracemalloc.start()
    outcome = read(book, format="xlsx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.code for one in outcome.refusals] == ["record-too-long"]
    assert peak < 8_000_000, peak
    assert refused_code(read, book, Limits(workbook_shared_bytes=30_000)) == "zip-bomb"
    many = part_of(book, shared).replace(b"</sst>", b"<si><t/></si>" * 100_000 + b"</sst>")
    assert refused_code(read, with_part(book, shared, many), Limits(workbook_shared_bytes=400_000)) == "zip-bomb"


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        (b"<x>" * 100_000 + b"</x>" * 100_000, "nested too deeply"),
        (b"<row>" * 100_000 + b"</row>" * 100_000, "nested too deeply"),
        (b"".join(b"<n%d/>" % number for number in range(30_000)), "too many names"),
        (b"<c " + b" " * 5_000_000 + b"/>", "a tag has no end"),
    ],
)
def test_what_would_make_the_parser_itself_grow_is_damaged(read: Read, inside: bytes, problem: str) -> None:
    sheet = part_of(GOOD, SHEET).replace(b"<sheetData>", b"<sheetData>" + inside)
    with pytest.raises(UnreadableFile, match=problem):
        read(with_part(GOOD, SHEET, sheet), format="xlsx", limits=Limits(workbook_ratio=10_000))


def test_a_part_that_ought_to_be_small_is_not_read_when_it_is_large(read: Read) -> None:
    assert refused_code(read, GOOD, Limits(workbook_part_bytes=500)) == "damaged-workbook"


def test_memory_does_not_grow_with_the_rows(mapping: Mapping) -> None:
    """Ten times the rows, the same memory: only the texts that cells point to are kept."""
    row = b'<row><c t="inlineStr"><is><t>A1</t></is></c><c><v>45000</v></c><c><v>12.5</v></c></row>'
    limits = Limits(workbook_ratio=10_000, batch_records=100)

    def peak(rows: int) -> int:
        sheet = part_of(GOOD, SHEET).replace(b"</sheetData>", row * rows + b"</sheetData>")
        book = with_part(GOOD, SHEET, sheet)
        tracemalloc.start()
        for _ in (reading := read_records(lambda: [book], format="xlsx", mapping=mapping, limits=limits)):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert reading.counts.records == rows + 1
        return most

    assert peak(6_000) < peak(600) + 500_000
