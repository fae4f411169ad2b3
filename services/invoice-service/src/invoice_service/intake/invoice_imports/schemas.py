"""Imports on the wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from council_common.errors import FieldError
from council_common.fields import Name, RequestModel, Sentence, ShortName
from council_common.imports.dates import DateOrder
from council_common.imports.published_spend import AmountBasis
from council_common.imports.recognition import Why
from council_common.long_work.schemas import ProgressOut
from council_common.long_work.tables import Work
from council_common.web.field_errors import field_error
from council_common.web.query_models import QueryModel
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from invoice_service.intake.invoice_imports.importing import IMPORT_INVOICES
from invoice_service.intake.invoice_imports.mappings import ColumnMapping, must_fit
from invoice_service.intake.invoice_imports.previewing import Preview
from invoice_service.intake.invoice_imports.rules import (
    FileFormat,
    ImportMalformed,
    ImportStatus,
    Profile,
    UnknownSuppliers,
    doubts_of,
    status_of,
)
from invoice_service.intake.invoice_imports.understanding import reading_of
from invoice_service.intake.invoice_imports.upload import NewImport

_PENCE: Final = "pence"
_ENDINGS = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), FileFormat.CSV),
    **dict.fromkeys((".ndjson", ".jsonl"), FileFormat.NDJSON),
    ".xlsx": FileFormat.XLSX,
}


class ImportQuery(QueryModel):
    """What the body is: how it is written, what its lines are, and whose."""

    filename: Name
    source_system: Annotated[ShortName, Field(description="Whose references the lines carry.")]
    format: Annotated[FileFormat | None, Field(description="By the file name's ending where it is left out.")] = None
    profile: Profile = Profile.INVOICES
    supplier_system: Annotated[ShortName | None, Field(description="Whose supplier numbers; source_system.")] = None
    unknown_suppliers: UnknownSuppliers = UnknownSuppliers.REFUSE
    mapping: Annotated[
        str | None,
        Field(
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

    def _mapping(self) -> dict[str, Any] | None:
        if self.mapping is None:
            return None
        try:
            mapping = ColumnMapping.model_validate_json(self.mapping)
        except ValidationError as wrong:
            faults = [field_error({**fault, "loc": ("mapping", *fault["loc"])}) for fault in wrong.errors()[:20]]
            raise ImportMalformed(*faults) from None
        must_fit(mapping, self.profile)
        return mapping.model_dump(mode="json", exclude_defaults=True)


def _by_ending(filename: str) -> FileFormat:
    ending = PurePath(filename).suffix.casefold()
    if ending not in _ENDINGS:
        raise ImportMalformed(FieldError("format", "does not follow from the file name", "csv, ndjson or xlsx"))
    return _ENDINGS[ending]


class DoubtOut(BaseModel):
    """What in a file could mean two things, and what it is asked."""

    field: str
    candidates: list[str]
    question: str


class ColumnOut(BaseModel):
    """The column that a field is read from, its number from 1, and how it was found.

    `mapping`: the sender named it; `name`: by its name as it stands; `words`: by the words of its name; `content`: by
    what it holds.
    """

    name: str
    number: int
    found_by: Why


class ReadingOut(BaseModel):
    """How a file was understood: its header's line, the column of each field, the order of each column's dates.

    In `dates_undecided` no date says which order it is; the day is taken to be first. `mapping` is the sender's,
    completed by the `saved_reading` of an earlier file with the same columns. `sheet` is a workbook's.
    """

    header_line: int
    sheet: str | None
    columns: dict[str, ColumnOut]
    date_orders: dict[str, DateOrder]
    dates_undecided: list[str]
    mapping: dict[str, Any]
    saved_reading: UUID | None


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


class PreviewedRecordOut(BaseModel):
    """A record as it would be stored; `due_on` null is by the supplier's terms."""

    model_config = ConfigDict(from_attributes=True)

    line_number: int
    kind: str
    number: str
    supplier_reference: str
    supplier_name: str
    purchase_order_number: str | None
    issued_on: date
    received_on: date
    due_on: date | None
    paid_on: date | None
    department: str | None
    net_pence: int
    vat_pence: int
    gross_pence: int


class PreviewOut(BaseModel):
    """How a file would be imported; nothing was stored.

    `reading` is how it is understood, `doubts` what an import would ask: then there are no records. `delimiter` is
    that of a CSV file, `amount_basis` of published amounts. Amounts are pounds with a decimal point, or whole pence
    (`amounts`). `records` and `refusals` are the first ten of each; the counts and sums are those of all lines, or of
    the first 200,000 where `is_whole` is false.
    """

    reading: ReadingOut
    doubts: list[DoubtOut]
    header: list[str]
    delimiter: str
    amounts: Literal["pounds", "pence"] | None
    currency: Literal["GBP"] = "GBP"
    amount_basis: AmountBasis | None
    records: list[PreviewedRecordOut]
    refusals: list[RefusalOut]
    lines_accepted: int
    lines_refused: int
    lines_skipped: int
    net_pence_sum: int
    refused_pence_sum: int
    file_total_pence: int | None
    is_whole: bool

    @classmethod
    def of(cls, preview: Preview, profile: Profile) -> PreviewOut:
        """From a preview of a file of a profile."""
        opened = preview.opened
        in_pounds = profile is Profile.PUBLISHED_SPEND
        return cls(
            reading=ReadingOut.model_validate(reading_of(opened)),
            doubts=[DoubtOut(**asdict(doubt)) for doubt in opened.doubts],
            header=opened.header,
            delimiter=opened.delimiter,
            amounts="pounds" if in_pounds else opened.mapping.get("amounts", _PENCE if not opened.doubts else None),
            amount_basis=opened.amount_basis,
            records=[PreviewedRecordOut.model_validate(draft) for draft in preview.drafts],
            refusals=[RefusalOut.model_validate(refusal) for refusal in preview.refusals],
            lines_accepted=preview.accepted,
            lines_refused=preview.refused,
            lines_skipped=preview.skipped,
            net_pence_sum=preview.net_pence,
            refused_pence_sum=preview.refused_pence,
            file_total_pence=preview.file_total_pence,
            is_whole=preview.is_whole,
        )


class AnswerIn(RequestModel):
    """The reading that the sender meant; what it leaves out stays as the mapping before has it. And a note."""

    mapping: ColumnMapping
    note: Sentence


class ImportOut(BaseModel):
    """An import and how far it is: `progress` counts bytes.

    One that is `in_doubt` has stored nothing and asks what its file means (`doubts`); answer under `answers`.
    `reading` is how the file was understood.

    lines_read = lines_accepted + lines_existing + lines_refused + lines_skipped. Of the accepted ones
    `lines_amounts_disagree` have amounts that do not add up, and of `lines_vat_derived` the VAT is worked out.
    `net_pence_sum` sums the accepted and the existing lines, `refused_pence_sum` the refused ones whose amount could
    be read; `file_total_pence` is the file's own total where it has one. `amount_basis` says what the amounts of a
    published file are by its header: net or gross of VAT, or unstated; bodies differ, and all are kept as `net_pence`.
    """

    id: UUID
    version: int
    status: ImportStatus
    progress: ProgressOut
    doubts: list[DoubtOut]
    reading: ReadingOut | None
    mapping: dict[str, Any] | None
    filename: str
    format: FileFormat
    profile: Profile
    source_system: str
    supplier_system: str
    unknown_suppliers: UnknownSuppliers
    sha256: str
    bytes: int
    last_line: int
    lines_read: int
    lines_accepted: int
    lines_existing: int
    lines_refused: int
    lines_skipped: int
    lines_amounts_disagree: int
    lines_vat_derived: int
    net_pence_sum: int
    refused_pence_sum: int
    file_total_pence: int | None
    file_total_agrees: bool | None
    amount_basis: AmountBasis | None
    received_by: str
    received_by_name: str
    received_at: datetime

    @classmethod
    def of(cls, import_: Any, work: Work) -> ImportOut:
        """From a stored import, or a row of the list, and its work."""
        own = cls.model_fields.keys() - {"status", "progress", "doubts", "last_line", "lines_read"}
        values = {name: getattr(import_, name) for name in own}
        counts = ("lines_accepted", "lines_existing", "lines_refused", "lines_skipped")
        return cls.model_validate(
            {
                **values,
                "status": status_of(work.state, work.error),
                "doubts": doubts_of(work.error),
                "progress": ProgressOut.of(IMPORT_INVOICES, work),
                "last_line": int(work.cursor or 0),
                "lines_read": sum(values[name] for name in counts),
            }
        )
