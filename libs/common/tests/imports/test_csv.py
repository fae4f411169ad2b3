import csv
import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from council_common.imports import Limits, MappedField, Mapping, UnreadableFile, read_records
from council_common.imports.batches import Total
from council_common.imports.values import is_filler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEAD = "Number,Paid On,Net,Supplier\n"
Read = Callable[..., Any]


def test_line_numbers_are_those_an_editor_shows(read: Read) -> None:
    content = HEAD + 'A1,2024-01-31,1.00,"Two\nlines"\r\nA2,2024-01-31,2.00,B\rA3,2024-01-31,3.00,"C ""c"", d"'
    outcome = read(content.encode())
    assert outcome.lines == [2, 4, 5]
    assert outcome.suppliers == ["Two lines", "B", 'C "c", d']
    assert outcome.reading.counts.accepted_pence == 600


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("chunk", [1, 65_536])
def test_line_ends_and_delimiters(read: Read, end: str, delimiter: str, chunk: int) -> None:
    content = (HEAD + "A1,2024-01-31,1.00,B\n" * 3).replace(",", delimiter).replace("\n", end)
    outcome = read(content.encode(), chunk=chunk)
    assert (outcome.lines, outcome.reading.delimiter) == ([2, 3, 4], delimiter)


def test_repeated_headers_blanks_and_the_senders_totals_are_skipped_and_counted(read: Read) -> None:
    content = HEAD + (
        "A1,2024-01-31,1.50,B\n"
        ",,,\n\n,,#N/A,\n"
        "Number,Paid On, Net ,Supplier,,\n"
        "A2,2024-01-31,(0.25),C\n"
        "A3,31 Smarch,1.00,C\n"
        ",,2.25,\n"
        "Grand Total,,9.00,\n"
    )
    outcome = read(content.encode())
    counts = outcome.reading.counts
    assert (counts.accepted, counts.refused, counts.blank, counts.repeated_headers, counts.totals) == (2, 1, 3, 1, 2)
    assert (counts.accepted_pence, counts.refused_pence, counts.records) == (125, 100, 9)
    assert outcome.totals == [Total(9, 225, 225), Total(10, 900, 225)]


def test_all_problems_of_a_record_are_reported_with_its_raw_text(read: Read) -> None:
    outcome = read((HEAD + ' ,04/29/2022,"1.234,56",B\r\nA2,2024-01-31\nA3,2024-01-31,1.00,B,C\n').encode())
    first, short, long = outcome.refusals
    assert [one.code for one in first.problems] == ["missing-value", "not-a-calendar-day", "decimal-comma"]
    assert first.field == "number, paid_on, net_pence"
    assert first.raw == ' ,04/29/2022,"1.234,56",B'
    assert (short.code, long.code) == ("too-few-fields", "too-many-fields")
    assert "5 fields, the header has 4" in long.problem


def test_titles_before_the_header_and_a_second_header_line(read: Read) -> None:
    grouped = Mapping(
        fields=(
            MappedField(name="number", columns=("Number",)),
            MappedField(name="net", columns=("Net", "Amount"), kind="money", presence="value"),
        )
    )
    content = b"Payments of Anyborough,,,,\n\nNumber,Amount,,,Supplier\n,Gross,VAT,Net,\nA1,12.00,2.00,10.00,B\n"
    outcome = read(content, mapping=grouped)
    assert outcome.reading.header == ("Number", "Gross", "VAT", "Net", "Supplier")
    assert (outcome.reading.header_line, outcome.lines, outcome.rows) == (3, [5], [("A1", 1000)])


def test_missing_columns_name_what_was_found_and_what_is_accepted(read: Read) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(b"Contract,Value\nC1,5\n")
    assert refused.value.code == "missing-columns"
    assert "'Contract', 'Value'" in refused.value.detail
    assert "net_pence (a column called 'Net' or 'Net Amount')" in refused.value.expected


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Number,Paid On,Net,Net\n", "in-doubt"),
        (b",".join(b"c%d" % i for i in range(10_000)) + b"\n", "too-many-columns"),
    ],
)
def test_headers_that_cannot_be_used(read: Read, content: bytes, code: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert refused.value.code == code


def test_a_header_alone_is_an_empty_import(read: Read) -> None:
    outcome = read(HEAD.encode())
    assert outcome.reading.counts.records == 0


@pytest.mark.parametrize("behind", ["", "A3,2024-01-31,1.00,B\n" * 20, "A3,2024-01-31,1.00,B\n" * 5_000])
def test_a_quote_never_closed_says_where_it_opened(read: Read, behind: str) -> None:
    content = HEAD + 'A1,2024-01-31,1.00,"B\nb"\nA2,2024-01-31,1.00,"Open\n' + behind
    with pytest.raises(UnreadableFile, match="opened in line 4 is not closed") as refused:
        read(content.encode())
    assert refused.value.code == "quote-never-closed"


def test_nul_bytes_refuse_their_record_only(read: Read) -> None:
    rows = "A1,2024-01-31,1.00,B\n" * 20
    outcome = read((HEAD + rows + "A2,2024-01-31,1.00,B\0\n" + rows).encode())
    assert [(one.line_number, one.code) for one in outcome.refusals] == [(22, "nul-byte")]
    assert len(outcome.rows) == 40


def test_ten_thousand_fields_refuse_their_record_only(read: Read) -> None:
    outcome = read((HEAD + "A1,2024-01-31,1.00,B" + ",x" * 10_000 + "\nA2,2024-01-31,1.00,B\n").encode())
    assert (outcome.refusals[0].code, outcome.lines) == ("too-many-fields", [3])


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_reading_goes_on_behind_any_batch(read: Read, batch: int) -> None:
    rows = "".join(f'A{i},2024-01-31,{i}.00,"S\n{i}"\n' if i % 3 else f"A{i},x,1.00,S\n" for i in range(50))
    content, limits = (HEAD + rows).encode(), Limits(batch_records=batch)
    whole = read(content, limits=limits)
    for last_line in whole.last_lines:
        rest = read(content, limits=limits, start_after_line=last_line)
        assert rest.lines == [line for line in whole.lines if line > last_line]
        assert rest.refusals == [one for one in whole.refusals if one.line_number > last_line]
    assert read(content, start_after_line=10_000).rows == []


CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cells=st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    chunk=st.integers(min_value=1, max_value=50),
)
def test_what_was_written_is_read(read: Read, cells: list[list[str]], end: str, quoting: Any, chunk: int) -> None:
    raw = Mapping(
        fields=(
            MappedField(name="key", columns=("Key",), presence="value"),
            MappedField(name="first", columns=("First",)),
            MappedField(name="second", columns=("Second",)),
        )
    )
    out = io.StringIO()
    # Python's writer leaves the other line end unquoted; only CRLF makes it quote both.
    writer = csv.writer(out, lineterminator=end, quoting=quoting if end == "\r\n" else csv.QUOTE_ALL)
    writer.writerow(["Key", "First", "Second"])
    writer.writerows(["k", *row] for row in cells)
    outcome = read(out.getvalue().encode(), mapping=raw, chunk=chunk)

    def cleaned(cell: str) -> str | None:
        # A control character of Latin-1 is what Windows writes in its place, where it writes anything.
        cell = "".join(
            bytes([ord(sign)]).decode("cp1252", errors="ignore") or sign if "\x80" <= sign <= "\x9f" else sign
            for sign in cell
        )
        text = " ".join(cell.replace("\ufeff", " ").replace("\u200b", " ").split())
        return None if is_filler(text) else text

    assert outcome.rows == [("k", cleaned(a), cleaned(b)) for a, b in cells]


def test_memory_does_not_grow_with_the_file(mapping: Mapping) -> None:
    row = b'A%d,31/01/2024,"1,234.56",Harbour Dredging %d of Anyborough' + b"." * 600 + b"\n"
    wanted = 60 * 1024 * 1024

    def source() -> Iterator[bytes]:
        yield HEAD.encode()
        sent = number = 0
        while sent < wanted:
            chunk = b"".join(row % (i, i % 9_000) for i in range(number, number + 500))
            number, sent = number + 500, sent + len(chunk)
            yield chunk

    tracemalloc.start()
    try:
        reading = read_records(source, format="csv", mapping=mapping)
        first = 0
        for number, _batch in enumerate(reading):
            # By then every cache of the reading is full.
            if number == 5:
                first = tracemalloc.get_traced_memory()[0]
                tracemalloc.reset_peak()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reading.counts.accepted > 80_000
    assert peak < 24 * 1024 * 1024
    assert peak - first < 12 * 1024 * 1024
