"""The rows of one invoice, brought together wherever they stand in a file.

A file is looked through for its keys before it is read: of a million rows only the hashes of their keys are kept, and
while it is read only those rows wait whose invoice has others further down.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, NamedTuple

from council_common.imports import Problem, UnreadableFile
from council_common.imports.canonical_cells import CanonicalCells
from council_common.imports.column_binding import ColumnBinding
from council_common.imports.problems import BadValue
from council_common.imports.record_source import RecordSource

from invoice_service.intake.invoice_imports.drafts import (
    Draft,
    invoice_draft,
    kind_of,
    own_reference,
)
from invoice_service.intake.invoice_imports.line_amounts import Refused, bounded
from invoice_service.intake.invoice_imports.mappings import InvoiceLine
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.rules import MAX_LINES, content_text

MOST_WAITING: Final = 250_000
_PARTS: Final = 64  # the hashes are put in order a part at a time
_KEY_FIELDS: Final = ("reference", "supplier_reference", "number")
_KEY_PLACES: Final = tuple(map(InvoiceLine._fields.index, _KEY_FIELDS))
_SAME: Final = (
    *("supplier_reference", "supplier_name", "number", "kind", "purchase_order_number"),
    *("issued_on", "received_on", "due_on", "paid_on"),
)
_CODE: Final = "repeated-in-file"
_EQUAL: Final = Problem(
    "reference",
    _CODE,
    "two rows of this invoice are equal: two lines of it, or one row twice? Only its sender knows",
    "rows of one invoice that differ, in a line number or the description; or one row with what they come to",
)
_OTHER_REFUSED: Final = Problem(
    "reference",
    _CODE,
    "another row of this invoice is refused, and without it the invoice would be another",
    "all rows of the invoice, that one corrected",
)
_TOO_MANY: Final = Problem(
    "reference", _CODE, f"the file has more than {MAX_LINES:,} rows of this invoice", f"at most {MAX_LINES:,} lines"
)


_SUMS_DIFFER: Final = Problem(
    "gross", "sums-differ", "net and VAT do not add up to gross", "amounts of this line of the invoice, or net and VAT"
)


class Row(NamedTuple):
    """A row of an invoice: its line, its values (None where it was refused) and its cells."""

    line: int
    values: tuple[Any, ...] | None
    cells: list[str]


class RefusedRow(NamedTuple):
    """A row that is refused, and why."""

    row: Row
    problems: tuple[Problem, ...]


Outcome = tuple[Draft | None, Sequence[Row], Sequence[RefusedRow]]
"""What becomes of the rows of an invoice: its draft and its rows, or none and the refused ones."""


class InvoiceRows:
    """Gathers the rows of invoices that have several in a file; `outcomes` gives the invoices that are complete."""

    def __init__(
        self, binding: ColumnBinding, repeated: dict[int, int], today: date, canonical: CanonicalCells
    ) -> None:
        self._keys = _Keys(binding)
        self._canonical = canonical
        self._repeated = repeated
        self._today = today
        self._waiting: dict[str, list[Row]] = {}
        self._waiting_rows = 0
        self._complete: list[list[Row]] = []

    def key_of(self, values: tuple[Any, ...]) -> str | None:
        """The key of a row that was read, None where no other row of the file has it."""
        reference, supplier_reference, number = (values[place] for place in _KEY_PLACES)
        key = reference or own_reference(supplier_reference, number)
        return key if hash(key) in self._repeated else None

    def add_refused(self, line: int, cells: list[str]) -> None:
        """Take a row that was refused into account: without it its invoice is not whole."""
        key = self._keys.of_cells(cells)
        if key is not None and hash(key) in self._repeated:
            self.add(key, Row(line, None, cells))

    def add(self, key: str, row: Row) -> None:
        """Take a row; with the last one its invoice is complete. Raises UnreadableFile where too many wait."""
        rows = self._waiting.setdefault(key, [])
        rows.append(row)
        self._waiting_rows += 1
        if len(rows) == self._repeated[hash(key)]:
            self._complete.append(self._waiting.pop(key))
            self._waiting_rows -= len(rows)
        elif self._waiting_rows > MOST_WAITING:
            found = f"at line {row.line} more than {MOST_WAITING:,} rows wait for others of their invoices"
            raise UnreadableFile("rows-of-invoices-apart", found, "a file in the order of its invoices")

    def forget_complete(self) -> None:
        """Leave out the invoices that were stored before the file was opened again."""
        self._complete.clear()

    def outcomes(self, *, at_end: bool) -> Iterable[Outcome]:
        """The invoices that are complete by now; at the end of the file, all."""
        if at_end:
            self._complete += self._waiting.values()
            self._waiting = {}
        complete, self._complete = self._complete, []
        return map(self._together, complete)

    def _together(self, rows: Sequence[Row]) -> Outcome:
        try:
            return self._draft(rows), rows, ()
        except Refused as refused:
            problems = refused.problems
            return None, rows, [RefusedRow(row, problems) for row in rows if row.values is not None]
        except _RowsRefused as of_rows:
            return None, rows, [
                RefusedRow(row, of_rows.problems.get(place, (_OTHER_REFUSED,)))
                for place, row in enumerate(rows)
                if row.values is not None
            ]  # fmt: skip

    def _draft(self, rows: Sequence[Row]) -> Draft:
        if len(rows) > MAX_LINES:
            raise Refused(_TOO_MANY)
        drafts: list[Draft] = []
        problems: dict[int, tuple[Problem, ...]] = {}
        for place, row in enumerate(rows):
            if row.values is None:
                problems[place] = ()
                continue
            key = self._canonical.key(row.cells)
            try:
                drafts.append(draft := invoice_draft(row.line, 0, row.values, self._today, key, of_several=True))
                if draft.amounts_disagree:
                    problems[place] = (_SUMS_DIFFER,)
            except Refused as refused:
                problems[place] = refused.problems
        if problems:
            raise _RowsRefused(problems)
        if len({draft.row_key for draft in drafts}) < len(rows):
            raise Refused(_EQUAL)
        return together(drafts)


def together(drafts: Sequence[Draft]) -> Draft:
    """One invoice of several lines. Raises Refused where its rows do not agree in what an invoice has once."""
    first = drafts[0]
    for field in _SAME:
        if any(getattr(draft, field) != getattr(first, field) for draft in drafts):
            problem = f"rows of this invoice do not agree in {field}"
            raise Refused(Problem(field, _CODE, problem, f"the same {field} in all of them, or a number of its own"))
    net, vat, gross = (sum(getattr(draft, f"{name}_pence") for draft in drafts) for name in ("net", "vat", "gross"))
    bounded(*(sum(abs(getattr(draft, f"{name}_pence")) for draft in drafts) for name in ("net", "vat", "gross")))
    kind = kind_of(first.kind or None, gross)
    lines = f"[{','.join(draft.lines[1:-1] for draft in drafts)}]"
    return first._replace(
        kind=kind,
        row_lines=tuple(draft.line_number for draft in drafts),
        lines=lines,
        vat_shares=_vat_shares(drafts),
        department=department_of([(line["department"], line["net_pence"]) for line in json.loads(lines)]),
        net_pence=net,
        vat_pence=vat,
        gross_pence=gross,
        vat_derived=any(draft.vat_derived for draft in drafts),
        row_key="".join(sorted(draft.row_key for draft in drafts)),
        content=content_text(
            kind=kind,
            number=first.number,
            purchase_order_number=first.purchase_order_number,
            dates=(first.issued_on, first.received_on, first.due_on),
            amounts=(net, vat, gross),
            lines=lines,
        ),
    )


def repeated_keys(records: RecordSource) -> dict[int, int]:
    """The hashes of the keys that several rows of a file have, each with the number of its rows.

    A file that breaks off is looked through so far.
    """
    keys = _Keys(records.binding)
    parts = [array("q") for _ in range(_PARTS)]
    with suppress(UnreadableFile):
        for _, _, cells, _ in records:
            if not isinstance(cells, Problem) and (key := keys.of_cells(cells)) is not None:
                number = hash(key)
                parts[number % _PARTS].append(number)
    counted = ((number, sum(1 for _ in same)) for part in parts for number, same in groupby(sorted(part)))
    return {number: count for number, count in counted if count > 1}


class _RowsRefused(Exception):
    """Rows of an invoice that are refused, by their places: the problems of each, none where it was refused before."""

    def __init__(self, problems: dict[int, tuple[Problem, ...]]) -> None:
        super().__init__()
        self.problems = problems


class _Keys:
    """Reads from a record's cells what its invoice is known by."""

    def __init__(self, binding: ColumnBinding) -> None:
        columns = {column.field: column for column in binding.columns}
        self._columns = [(columns[name].index, columns[name].reader) for name in _KEY_FIELDS]

    def of_cells(self, cells: list[str]) -> str | None:
        """The key; None where it cannot be read."""
        try:
            reference, supplier_reference, number = (
                reader[cells[index] if index is not None and index < len(cells) else ""]
                for index, reader in self._columns
            )
        except BadValue:
            return None
        return str(reference) if reference else own_reference(str(supplier_reference), str(number))


def _vat_shares(drafts: Sequence[Draft]) -> str:
    """Net and VAT by rate, lowest first, as JSON."""
    net: dict[str, int] = defaultdict(int)
    vat: dict[str, int] = defaultdict(int)
    for share in (share for draft in drafts for share in json.loads(draft.vat_shares)):
        net[share["vat_rate"]] += share["net_pence"]
        vat[share["vat_rate"]] += share["vat_pence"]
    shares = (
        f'{{"vat_rate":"{rate}","net_pence":{net[rate]},"vat_pence":{vat[rate]}}}' for rate in sorted(net, key=Decimal)
    )
    return f"[{','.join(shares)}]"
