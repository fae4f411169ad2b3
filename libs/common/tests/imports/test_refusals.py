import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from council_common.imports import Mapping, read_records, refused_file
from council_common.spreadsheet_cells import FORMULA_STARTS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Read = Callable[..., Any]
HEAD = "Number,Paid On,Net,Supplier\n"


def test_a_refused_file_comes_back_corrected_with_its_line_numbers(read: Read) -> None:
    bad = 'A2,2024-01-31,"1.234,56",B\nA3,2024-01-31,1.00,B,one too many\nA4,2024-01-31,oops,"C\nc"\n'
    first = read((HEAD + "A1,2024-01-31,1.00,B\n" + bad).encode())
    back = b"".join(refused_file(first.refusals, format="csv", header=first.reading.header))
    again = read(back)
    assert [(one.line_number, one.code, one.raw.split(",", 3)[0]) for one in again.refusals] == [
        (3, "decimal-comma", "3"),
        (4, "too-many-fields", "4"),
        (5, "not-money", "5"),
    ]
    corrected = back.replace(b'"1.234,56"', b"1234.56").replace(b",one too many", b"").replace(b"oops", b"2.00")
    outcome = read(corrected)
    assert outcome.lines == [3, 4, 5]
    assert [row[0] for row in outcome.rows] == ["A2", "A3", "A4"]
    assert outcome.refusals == []


def test_a_spoilt_line_number_is_refused(read: Read) -> None:
    outcome = read(b"_line," + HEAD.encode() + b"x,A1,2024-01-31,1.00,B\n,A2,2024-01-31,1.00,B\n")
    assert outcome.refusals[0].code == "not-a-line-number"
    assert outcome.lines == [3]


def test_refused_json_lines_come_back(read: Read) -> None:
    good = '{"number": "A1", "paid on": "2024-01-31", "net": "1.00"}'
    lines = [good, good.replace("1.00", "1,23"), "{not json", good]
    first = read("\n".join(lines).encode(), format="ndjson")
    back = b"".join(refused_file(first.refusals, format="ndjson", header=())).decode()
    assert [json.loads(line)["_line"] for line in back.splitlines()] == [2, 3]
    assert read(back.encode(), format="ndjson").reading.counts.refused == 2
    corrected = back.replace('"1,23"', '"1.23"').replace("{not json", good.replace('"', '\\"'))
    outcome = read(corrected.encode(), format="ndjson")
    assert (outcome.lines, outcome.reading.counts.accepted_pence) == ([2, 3], 223)


def test_json_lines_come_back_as_often_as_they_are_refused(read: Read) -> None:
    good = '{"number": "A1", "paid on": "2024-01-31", "net": 1.10}'
    lines = [good.replace("1.10", '"1,23"'), "{not json", good.replace('"net"', '"number"'), good.replace("A1", "")]
    text = "\n".join(lines)
    for _ in range(4):
        refused = read(text.encode(), format="ndjson")
        assert [one.line_number for one in refused.refusals] == [1, 2, 3, 4]
        codes = [one.code for one in refused.refusals]
        assert codes == ["decimal-comma", "not-json", "repeated-key", "missing-value"]
        text = b"".join(refused_file(refused.refusals, format="ndjson", header=())).decode()
    corrected = text.replace('"1,23"', '"1.23"').replace("{not json", good.replace('"', '\\"'))
    outcome = read(corrected.encode(), format="ndjson")
    assert (outcome.lines, outcome.reading.counts.accepted_pence, len(outcome.refusals)) == ([1, 2], 233, 2)


def test_csv_lines_that_are_refused_again_do_not_grow(read: Read) -> None:
    bad = (HEAD + '"A,2",2024-01-31,oops,"B ""b"" b"\n').encode()
    first = read(bad)
    back = b"".join(refused_file(first.refusals, format="csv", header=first.reading.header))
    for _ in range(3):
        again = read(back)
        assert b"".join(refused_file(again.refusals, format="csv", header=again.reading.header)) == back
    assert read(back.replace(b",oops,", b",2.00,")).rows[0][0] == "A,2"


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_a_nul_is_shown_where_it_stood(read: Read, format_: Any) -> None:
    """No database stores the character; the line can be corrected all the same."""
    good = (HEAD.replace("Supplier", "Suppl\0ier") + "A1,2024-01-31,1.00,B\n").encode() * (format_ == "csv")
    line = b"A2,2024-01-31,1.00,B\0B" if format_ == "csv" else b'{"number": "A\0"}'
    outcome = read(good + line + b"\n" + b"x" * 400, format=format_)
    assert "B\u2400B" in outcome.refusals[0].raw or "A\u2400" in outcome.refusals[0].raw
    said = [outcome.reading.header, *outcome.refusals]
    assert "\0" not in repr(said) and "\\x00" not in repr([one.raw for one in outcome.refusals])
    assert "\\x00" not in repr(outcome.reading.header)


def test_a_file_of_nothing_but_totals_is_cut_into_batches(read: Read) -> None:
    outcome = read((HEAD + ",,1,\n,,,\n" * 5_000).encode())
    assert outcome.reading.counts.skipped == 10_000
    assert len(outcome.last_lines) > 1


NUMBER = re.compile(r"[+-][0-9][0-9,]*(\.[0-9]+)?")
CELL = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",), exclude_characters="\0"),
        st.sampled_from("\n\r\t\"',;|=+-@\uff1d\uff0b\uff0d\uff20\u2028\x0b "),
    ),
    max_size=20,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), delimiter=st.sampled_from(",;\t|"))
def test_a_round_trip_keeps_every_cell(
    read: Read, mapping: Mapping, rows: list[tuple[str, str]], delimiter: str
) -> None:
    """Downloaded, corrected, sent again; and the same where it is refused once more in between."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["Number", "Paid On", "Net", "Supplier"])
    writer.writerows(["A1" + number, "never", "-1.00", supplier] for number, supplier in rows)
    sent = list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter))[1:]
    first = read(out.getvalue().encode(), keep_cells=True)
    back = _refused(first)
    again = read(back, keep_cells=True)
    assert _refused(again) == back
    assert [one.line_number for one in again.refusals] == [one.line_number for one in first.refusals]
    for cells in csv.reader(io.StringIO(back.decode("utf-8-sig"), newline=""), delimiter=delimiter):
        assert not any(cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell) for cell in cells)
    corrected = [cell for batch in _batches(back.replace(b"never", b"2024-01-31"), mapping) for cell in batch.cells]
    assert [cells[3:] for cells in corrected] == [[*cells[:1], "2024-01-31", *cells[2:]] for cells in sent]


def _refused(outcome: Any) -> bytes:
    reading = outcome.reading
    return b"".join(refused_file(outcome.refusals, format="csv", header=reading.header, delimiter=reading.delimiter))


def _batches(content: bytes, mapping: Mapping) -> Any:
    return read_records(lambda: [content], format="csv", mapping=mapping, keep_cells=True)


@pytest.mark.parametrize(
    "cell",
    ["two\nlines", "two\r\nlines", 'a "quote"', '5" pipe', "a,b;c\td|e", "=1+1", "'=1+1", "''=1+1", "'s-Hertogenbosch",
     "\uff1dSUM(A1)", "\uff20x", "-5", "+44 20", "@x", "\tx", "-cmd|' /C calc'!A0"],
)  # fmt: skip
def test_a_cell_is_safe_to_open_and_the_same_when_it_comes_back(read: Read, cell: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(["A1", "never", "1.00", cell])
    back = _refused(read((HEAD + out.getvalue()).encode()))
    shown = list(csv.reader(io.StringIO(back.decode("utf-8-sig"), newline="")))[1][-1]
    assert not shown.startswith(FORMULA_STARTS) or shown == "-5"
    [(_, _, _, supplier)] = read(back.replace(b"never", b"2024-01-31")).rows
    assert supplier == " ".join(cell.split())


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_senders_delimiter_is_kept(read: Read, delimiter: str) -> None:
    first = read((HEAD + "A1,never,1.00,B\n").replace(",", delimiter).encode())
    reading = first.reading
    back = refused_file(first.refusals, format="csv", header=reading.header, delimiter=reading.delimiter)
    assert [one.code for one in read(b"".join(back)).refusals] == ["not-a-date"]
