from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from council_common.imports import UnreadableFile

Read = Callable[..., Any]
GOOD = b'{"number": "A1", "paid on": "2024-01-31", "NET": 12.10, "supplier": {"name": "B"}}\n'


def test_objects_are_records_and_numbers_stay_exact(read: Read) -> None:
    outcome = read(GOOD + b"\n" + GOOD.replace(b"12.10", b'"(0.20)"'), format="ndjson")
    assert outcome.rows == [("A1", date(2024, 1, 31), 1210, "B"), ("A1", date(2024, 1, 31), -20, "B")]
    assert (outcome.lines, outcome.reading.counts.blank) == ([1, 3], 1)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "not-json"),
        (b"nonsense", "not-json"),
        (b"3", "not-an-object"),
        (GOOD.replace(b"12.10", b"NaN"), "not-a-number"),
        (GOOD.replace(b"12.10", b"1.21e1"), "scientific-notation"),
        (GOOD.replace(b"12.10", b"12.101"), "too-many-decimals"),
        (GOOD.replace(b"12.10", b"true"), "not-money"),
        (GOOD.replace(b"12.10", b"[1]"), "not-a-value"),
        (GOOD.replace(b"12.10", b"null"), "missing-value"),
        (GOOD.replace(b'"NET"', b'"number"'), "repeated-key"),
        (GOOD.replace(b'"NET"', b'"NUMBER"'), "ambiguous-keys"),
        (GOOD.replace(b'"B"', b'"\\ud800"'), "broken-text"),
        (GOOD.replace(b'"B"', b'"a\\u0000b"'), "nul-byte"),
        (b"[" * 60_000, "nested-too-deeply"),
    ],
)
def test_a_bad_line_is_refused_and_the_next_is_read(read: Read, line: bytes, code: str) -> None:
    outcome = read(GOOD + line.strip() + b"\n" + GOOD, format="ndjson")
    assert [(one.line_number, one.code) for one in outcome.refusals] == [(2, code)]
    assert outcome.lines == [1, 3]


@pytest.mark.parametrize(
    "line",
    [
        b'{"invoice": "A1", "amount": "5.00", "vendor": "B"}\n',  # none of the mapping's names
        b'{"net": "5000.00"}\n',  # what would be a total in a spreadsheet
        b'{"number": "Total", "net": "7.00"}\n',
        b"{}\n",
    ],
)
def test_no_object_is_dropped(read: Read, line: bytes) -> None:
    """Issue 3: accepted and refused are the file's lines; only an empty line is skipped."""
    outcome = read(line * 3 + b"\n", format="ndjson")
    counts = outcome.reading.counts
    assert (counts.refused, counts.totals, counts.blank) == (3, 0, 1)
    assert {one.code for one in outcome.refusals} == {"missing-value"}


def test_an_array_is_refused_as_a_file(read: Read) -> None:
    with pytest.raises(UnreadableFile, match="one JSON array"):
        read(b"[" + GOOD.strip() + b"]", format="ndjson")


def test_a_reading_goes_on_behind_a_line(read: Read) -> None:
    assert read(GOOD * 5, format="ndjson", start_after_line=3).lines == [4, 5]
