"""How the sample's files are written: NDJSON and Excel as the platform names things, CSV as a sender does."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import xlsxwriter

from demo.sample_council.facts import Invoice, Way

Record = dict[str, Any]


class FileFormat(ABC):
    """A way to write invoices, one a record; `mistakes` says which records are spoilt, and how."""

    refused_ending: ClassVar[str] = "csv"
    key: ClassVar[str] = "reference"
    mapping: ClassVar[str | None] = None
    mistakes: ClassVar[Mapping[int, Mapping[str, Any]]]

    def record(self, invoice: Invoice) -> Record:
        """An invoice of one line under the platform's own names, amounts in pence."""
        [line] = invoice.lines
        return {
            "reference": invoice.reference,
            "supplier_reference": invoice.supplier.reference,
            "number": invoice.number,
            "issued_on": invoice.issued_on.isoformat(),
            "received_on": invoice.received_on.isoformat(),
            "net_pence": invoice.net_pence,
            "vat_pence": invoice.vat_pence,
            "gross_pence": invoice.gross_pence,
            "vat_rate": line.vat_rate,
            "department": line.department,
            "description": line.description,
        }

    def spoilt(self, records: Sequence[Record]) -> list[Record]:
        """The records as the clerk typed them."""
        return [record | dict(self.mistakes.get(position, {})) for position, record in enumerate(records)]

    @abstractmethod
    def written(self, records: Sequence[Record]) -> bytes:
        """The file."""

    def corrected(self, refused: bytes, records: Sequence[Record]) -> bytes:
        """The refused file with the right values; its own columns (`_line`, `_problem`) stay as they came."""
        right = {str(record[self.key]): {name: str(value) for name, value in record.items()} for record in records}
        reader = csv.DictReader(io.StringIO(refused.decode("utf-8-sig"), newline=""))
        rows = [row | right[row[self.key]] for row in reader]
        return as_csv(rows, list(reader.fieldnames or ()))


class Ndjson(FileFormat):
    """A JSON object a line."""

    refused_ending = "ndjson"
    mistakes: ClassVar[Mapping[int, Mapping[str, Any]]] = {
        7: {"net_pence": 1234.5},
        60: {"received_on": "2026-02-30"},
        200: {"supplier_reference": "S9999"},
    }

    def written(self, records: Sequence[Record]) -> bytes:
        return "".join(json.dumps(record) + "\n" for record in records).encode()

    def corrected(self, refused: bytes, records: Sequence[Record]) -> bytes:
        right = {record[self.key]: record for record in records}
        sent_back = [json.loads(line) for line in refused.decode().splitlines()]
        return self.written([record | right[record[self.key]] for record in sent_back])


class SendersCsv(FileFormat):
    """A feeder system's own columns: pounds with commas, British dates."""

    key = "Doc Ref"
    columns: ClassVar[Mapping[str, str]] = {
        "reference": "Doc Ref",
        "supplier_reference": "Vendor",
        "number": "Inv No",
        "issued_on": "Inv Date",
        "received_on": "Stamped",
        "net": "Net",
        "vat": "VAT",
        "vat_rate": "VAT rate",
        "department": "Cost centre",
        "description": "Text",
    }
    mapping = json.dumps({"columns": columns, "date_order": "dmy", "amounts": "pounds"})
    mistakes: ClassVar[Mapping[int, Mapping[str, Any]]] = {
        3: {"Net": "12,3x4.00"},
        90: {"Stamped": "31/02/2026"},
        110: {"Inv No": ""},
    }

    def record(self, invoice: Invoice) -> Record:
        [line] = invoice.lines
        return {
            "Doc Ref": invoice.reference,
            "Vendor": invoice.supplier.reference,
            "Inv No": invoice.number,
            "Inv Date": f"{invoice.issued_on:%d/%m/%Y}",
            "Stamped": f"{invoice.received_on:%d/%m/%Y}",
            "Net": f"{invoice.net_pence // 100:,}.{invoice.net_pence % 100:02d}",
            "VAT": f"{invoice.vat_pence // 100:,}.{invoice.vat_pence % 100:02d}",
            "VAT rate": line.vat_rate,
            "Cost centre": line.department,
            "Text": line.description,
        }

    def written(self, records: Sequence[Record]) -> bytes:
        return as_csv(records, list(self.columns.values()))


class Workbook(FileFormat):
    """An Excel workbook; its refused lines come back as CSV."""

    mistakes: ClassVar[Mapping[int, Mapping[str, Any]]] = {
        5: {"received_on": "2026-02-30"},
        33: {"supplier_reference": "S9998"},
    }

    def written(self, records: Sequence[Record]) -> bytes:
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"in_memory": True})
        # A workbook says when it was made: the same bytes every time need the same moment.
        book.set_properties({"created": max(datetime.fromisoformat(record["issued_on"]) for record in records)})
        sheet = book.add_worksheet("Invoices")
        sheet.write_row(0, 0, list(records[0]))
        for number, record in enumerate(records, start=1):
            sheet.write_row(number, 0, list(record.values()))
        book.close()
        return out.getvalue()


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Rows as CSV in UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


FORMATS: Mapping[Way, FileFormat] = {Way.NDJSON: Ndjson(), Way.CSV: SendersCsv(), Way.XLSX: Workbook()}
