"""The tables of imports: the import, its bytes while it runs, its refused lines, its repeated lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from invoice_service.intake.invoice_imports.rules import FileFormat, Profile, UnknownSuppliers
from invoice_service.rows import Row


class InvoiceImport(Listed, Row, table=True):
    """A file of invoices, and what became of its lines so far.

    `request_key` is the Idempotency-Key. `header` and `delimiter` are those of the file, for the refused lines to go
    back in the same form; `amount_basis` says what a published file's amounts are, `reading` how the file was
    understood.
    """

    __tablename__ = "invoice_import"
    __table_args__ = (UniqueConstraint("received_by", "request_key"), Index(None, "received_at", "id"))

    id: UUID = Field(primary_key=True)
    version: int = 1
    filename: str = Field(sa_type=Text)
    format: FileFormat = Field(sa_type=EnumText(FileFormat))
    profile: Profile = Field(sa_type=EnumText(Profile))
    source_system: str = Field(sa_type=Text)
    supplier_system: str = Field(sa_type=Text)
    unknown_suppliers: UnknownSuppliers = Field(sa_type=EnumText(UnknownSuppliers))
    mapping: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    sha256: str = Field(sa_type=Text)
    bytes: int = Field(sa_type=BigInteger)
    header: list[str] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    delimiter: str | None = Field(default=None, sa_type=Text)
    amount_basis: str | None = Field(default=None, sa_type=Text)
    reading: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    lines_accepted: int = 0
    lines_existing: int = 0
    lines_refused: int = 0
    lines_skipped: int = 0
    lines_amounts_disagree: int = 0
    lines_vat_derived: int = 0
    net_pence_sum: int = Field(default=0, sa_type=BigInteger)
    refused_pence_sum: int = Field(default=0, sa_type=BigInteger)
    file_total_pence: int | None = Field(default=None, sa_type=BigInteger)
    file_total_agrees: bool | None = None
    request_key: str | None = Field(default=None, sa_type=Text)
    received_by: str = Field(sa_type=Text)
    received_by_name: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UTC_TIME)


class ImportChunk(Row, table=True):
    """A piece of at most a mebibyte of a file that waits or runs; deleted when it is over."""

    __tablename__ = "import_chunk"

    import_id: UUID = Field(primary_key=True, foreign_key="invoice_import.id")
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class RefusedLineRow(Row, table=True):
    """A line that was not accepted. `raw` is its text, to be corrected and sent again."""

    __tablename__ = "refused_line"
    __table_args__ = (Index(None, "import_id", "line_number", "id"),)

    id: UUID = Field(primary_key=True)
    import_id: UUID = Field(foreign_key="invoice_import.id")
    line_number: int
    field: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    problem: str = Field(sa_type=Text)
    expected: str = Field(sa_type=Text)
    raw: str = Field(sa_type=Text)


class RepeatedLine(Row, table=True):
    """How often a published line occurred in a running import so far, where that is not plain to see.

    Only lines that were there before, or occur more than once, have a row; deleted when the import is over.
    """

    __tablename__ = "repeated_line"

    import_id: UUID = Field(primary_key=True, foreign_key="invoice_import.id")
    line_key: str = Field(primary_key=True, sa_type=Text)
    occurrences: int
