"""Imports on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any
from uuid import UUID

from council_common.imports.published_spend import AmountBasis
from fastapi import Query
from pydantic import BaseModel, ConfigDict, ValidationError

from invoice_service.fields import Name, ShortName
from invoice_service.intake.invoice_imports.mappings import ColumnMapping
from invoice_service.intake.invoice_imports.rules import Format, ImportMalformed, Profile, Status, UnknownSuppliers
from invoice_service.intake.invoice_imports.tables import InvoiceImport, RefusedLineRow
from invoice_service.intake.invoice_imports.upload import NewImport


@dataclass(frozen=True)
class ImportQuery:
    """What the body is: how it is written, what its lines are, and whose."""

    filename: Annotated[Name, Query()]
    source_system: Annotated[ShortName, Query(description="Whose references the lines carry.")]
    format: Annotated[Format | None, Query(description="By the file name's ending where it is not said.")] = None
    profile: Profile = Profile.INVOICES
    supplier_system: Annotated[ShortName | None, Query(description="Whose supplier numbers; source_system.")] = None
    unknown_suppliers: UnknownSuppliers = UnknownSuppliers.REFUSE
    mapping: Annotated[
        str | None,
        Query(
            max_length=10_000,
            description='JSON: {"columns": {"number": "Invoice No"}, "date_order": "dmy", "amounts": "pounds"}',
        ),
    ] = None

    def new_import(self) -> NewImport:
        """As the upload takes it. Raises ImportMalformed."""
        return NewImport(
            filename=self.filename,
            format=self.format or _by_ending(self.filename),
            profile=self.profile,
            source_system=self.source_system,
            supplier_system=self.supplier_system or self.source_system,
            unknown_suppliers=self.unknown_suppliers,
            mapping=self._mapping(),
        )

    def _mapping(self) -> ColumnMapping | None:
        if self.mapping is None:
            return None
        if self.profile is Profile.PUBLISHED_SPEND:
            right = "no mapping: published files are read as they are"
            raise ImportMalformed("mapping", "this profile takes no mapping", right)
        try:
            return ColumnMapping.model_validate_json(self.mapping)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(["mapping", *map(str, first["loc"])])
            right = '{"columns": {field: column}, "date_order": "dmy" or "mdy", "amounts": "pence" or "pounds"}'
            raise ImportMalformed(where, first["msg"], right) from None


def _by_ending(filename: str) -> Format:
    ending = PurePath(filename).suffix.casefold()
    formats = {".csv": Format.CSV, ".txt": Format.CSV, ".tsv": Format.CSV, ".xlsx": Format.XLSX}
    formats |= dict.fromkeys((".ndjson", ".jsonl"), Format.NDJSON)
    if ending not in formats:
        raise ImportMalformed("format", "the file name does not say how it is written", "csv, ndjson or xlsx")
    return formats[ending]


class ImportErrorOut(BaseModel):
    """Why a file could not be read (any further)."""

    code: str
    detail: str
    expected: str | None = None


class ImportOut(BaseModel):
    """An import and how far it is.

    lines_read = lines_accepted + lines_existing + lines_refused + lines_skipped. `net_pence_sum` sums the
    accepted and the existing lines, `refused_pence_sum` the refused ones whose amount could be read;
    `file_total_pence` is the file's own total where it has one. `amount_basis` says what the amounts of a published
    file are by its header: net or gross of VAT, or unstated; bodies differ, and all are kept as `net_pence`.
    """

    id: UUID
    status: Status
    filename: str
    format: Format
    profile: Profile
    source_system: str
    supplier_system: str
    unknown_suppliers: UnknownSuppliers
    sha256: str
    bytes: int
    progress: float
    last_line: int
    lines_read: int
    lines_accepted: int
    lines_existing: int
    lines_refused: int
    lines_skipped: int
    net_pence_sum: int
    refused_pence_sum: int
    file_total_pence: int | None
    file_total_agrees: bool | None
    amount_basis: AmountBasis | None
    error: ImportErrorOut | None
    received_by: str
    received_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, import_: InvoiceImport) -> ImportOut:
        """From a stored import."""
        values: dict[str, Any] = {
            name: getattr(import_, name) for name in cls.model_fields if name not in ("progress", "lines_read")
        }
        counts = ("lines_accepted", "lines_existing", "lines_refused", "lines_skipped")
        lines_read = sum(values[name] for name in counts)
        return cls.model_validate({**values, "lines_read": lines_read, "progress": _progress(import_)})


def _progress(import_: InvoiceImport) -> float:
    if import_.status == Status.DONE:
        return 1.0
    return min(0.99, round(import_.bytes_read / import_.bytes, 3)) if import_.bytes else 0.0


class RefusalOut(BaseModel):
    """A refused line: where, which field, what is wrong, what would be right, and its text.

    `raw` is the line as it was sent where it could not be read; one that was read and is refused by its content is
    written anew from its cells. A NUL character is shown as U+2400.
    """

    model_config = ConfigDict(from_attributes=True)

    line_number: int
    field: str
    code: str
    problem: str
    expected: str
    raw: str

    @classmethod
    def of(cls, row: RefusedLineRow) -> RefusalOut:
        """From a stored refusal."""
        return cls.model_validate(row)
