"""Where published files and their control figures differ from what can be imported, and why. Nothing else may."""

from __future__ import annotations

# Refused as a whole, by name and by the code of the refusal.
REFUSED_FILES = {
    "leeds/raw/2018-10.csv": "empty-file",  # published with no bytes
    "salford/clean/2022-07.csv": "missing-columns",  # a register of contracts, published among the payments
}
# The gross of one line has a dot too many; the net, which is what is summed, is sound.
REFUSED_LINES = {"salford/clean/2014-12.csv": 1, "salford/clean/2019-05.csv": 1}
# Rows that say nothing but their own number, or a spreadsheet error left in a working column: control counts them.
BLANK_BUT_COUNTED = {
    "cabinetoffice/clean/2022-04.csv": 60,
    "salford/clean/2015-06.csv": 221,
    "salford/clean/2015-08.csv": 21,
}
# "Amount,," over "Gross,VAT,Net": control sums the gross and counts the second line of the header as data.
TWO_LINE_HEADERS = frozenset({"salford/clean/2018-04.csv", "salford/clean/2018-11.csv"})
# Files that end with the council's own total, and by how many pence it differs from the lines above it.
OWN_TOTALS = dict.fromkeys(
    (
        f"leeds/raw/{month}.csv"
        for month in ("2011-12", "2012-05", "2012-08", "2012-12", "2013-01", "2013-02", "2013-04", "2013-05",
                      "2013-07", "2013-08", "2013-09", "2013-10")
    ),
    0,
)  # fmt: skip
# Its last digit was cut off by the council: the total says .90, the lines come to .89.
OWN_TOTALS["leeds/raw/2013-12.csv"] = 1
