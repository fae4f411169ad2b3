"""Every published file, line by line and to the penny, against figures that another program took from it.

Reads the real input beside the checkout (`COUNCIL_SHARED` says where else); skipped without it, except in CI.
"""

import csv
import os
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from council_common.imports import Mapping, UnreadableFile, read_records
from council_common.imports.published_spend import PUBLISHED_SPEND

SHARED = Path(os.environ.get("COUNCIL_SHARED", Path(__file__).parents[5] / "shared")) / "data" / "council-spend"
NET = PUBLISHED_SPEND.names.index("net_pence")
GROSS = PUBLISHED_SPEND.names.index("gross_pence")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not SHARED.is_dir() and "CI" not in os.environ, reason=f"the real input is not at {SHARED.parent}"
    ),
]

# Where this reader and the control figures differ, and why. Nothing else may differ.
REFUSED_FILES = {
    "leeds/raw/2018-10.csv": "empty-file",  # published with no bytes
    "salford/clean/2022-07.csv": "missing-columns",  # a register of contracts, published among the payments
}
REFUSED_LINES = {
    # The gross of one line has a dot too many ("..", or at its end); the net, which both sum, is sound.
    "salford/clean/2014-12.csv": {1630: ("gross_pence", "not-money")},
    "salford/clean/2019-05.csv": {2: ("gross_pence", "not-money")},
}
BLANK_BUT_COUNTED = {
    # Rows that say nothing but their own number, or a spreadsheet error left in a working column.
    "cabinetoffice/clean/2022-04.csv": 60,
    "salford/clean/2015-06.csv": 221,
    "salford/clean/2015-08.csv": 21,
}
TWO_LINE_HEADERS = {
    # "Amount,," over "Gross,VAT,Net": the control figures sum the gross and count the second line as data.
    "salford/clean/2018-04.csv",
    "salford/clean/2018-11.csv",
}
# The council's own total, against the sum of the lines above it; the control figures add it to the sum.
OWN_TOTALS = {f"leeds/raw/{month}.csv": 0 for month in (
    "2011-12", "2012-05", "2012-08", "2012-12", "2013-01", "2013-02", "2013-04", "2013-05", "2013-07", "2013-08",
    "2013-09", "2013-10",
)}  # fmt: skip
# Here its last digit was cut off by the council: the total says .90, the lines come to .89.
OWN_TOTALS["leeds/raw/2013-12.csv"] = 1


def published_files() -> Iterator[tuple[str, bytes]]:
    for archive in sorted(SHARED.glob("*.tar.gz")):
        with tarfile.open(archive) as packed:
            for member in packed:
                if member.name.endswith(".csv") and (file := packed.extractfile(member)):
                    yield member.name, file.read()


def control_figures() -> dict[str, dict[str, str]]:
    with (SHARED / "control_totals.csv").open(encoding="utf-8-sig", newline="") as file:
        return {figures["file"]: figures for figures in csv.DictReader(file)}


def test_every_line_of_every_file_is_accounted_for_to_the_penny() -> None:
    controls = control_figures()
    own_totals: dict[str, int] = {}
    refused_files: dict[str, str] = {}
    refused_lines: dict[str, dict[int, tuple[str, str]]] = {}
    records = 0
    for name, content in published_files():
        try:
            reading = read_records(lambda content=content: [content], format="csv", mapping=PUBLISHED_SPEND)
        except UnreadableFile as refused:
            refused_files[name] = refused.code
            continue
        control, totals, negatives, gross = controls[name], [], 0, 0
        for batch in reading:
            totals += batch.totals
            negatives += sum(row[NET] < 0 for row in batch.rows)
            gross += sum(row[GROSS] or 0 for row in batch.rows) if name in TWO_LINE_HEADERS else 0
            for one in batch.refusals:
                refused_lines.setdefault(name, {})[one.line_number] = (one.field, one.code)
        counts = reading.counts
        for total in totals:
            own_totals[name] = total.amount_pence - total.sum_pence
        data_rows = counts.accepted + counts.refused + counts.totals
        explained = BLANK_BUT_COUNTED.get(name, 0)
        assert data_rows + explained + (name in TWO_LINE_HEADERS) == int(control["data_rows"]), name
        assert counts.blank - explained == int(control["blank_rows"]), name
        assert counts.repeated_headers == 0, name
        found = counts.accepted_pence + counts.refused_pence + sum(one.amount_pence for one in totals)
        wanted = Decimal(control["sum_amount"]).scaleb(2)
        assert (gross if name in TWO_LINE_HEADERS else found) == wanted, name
        assert negatives == int(control["count_negative"]), name
        assert reading.bytes_read == int(control["bytes"]), name
        records += counts.records
    assert refused_files == REFUSED_FILES
    assert refused_lines == REFUSED_LINES
    assert own_totals == OWN_TOTALS
    assert records == 1_773_937


def test_files_whose_names_are_known_are_read_as_without_the_vocabulary() -> None:
    fields = (field.model_copy(update={"words": (), "holds_names": False}) for field in PUBLISHED_SPEND.fields)
    bare = PUBLISHED_SPEND.model_copy(update={"fields": tuple(fields)})
    compared = 0
    for name, content in published_files():
        found = [_columns(content, mapping) for mapping in (PUBLISHED_SPEND, bare)]
        assert found[0] == found[1], name
        compared += found[0] is not None
    assert compared == 471


def _columns(content: bytes, mapping: Mapping) -> tuple[int, dict[str, int | None]] | None:
    try:
        reading = read_records(lambda: [content], format="csv", mapping=mapping)
    except UnreadableFile:
        return None
    assert not reading.binding.doubts
    return reading.header_line, {column.field: column.index for column in reading.binding.columns}
