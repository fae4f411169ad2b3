"""Which columns of a file of invoices mean what; the sender may name its own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, NamedTuple, cast

from council_common.fields import PRINTABLE, RequestModel
from council_common.imports import MappedField, Mapping
from council_common.imports.published_spend import PUBLISHED_SPEND
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from invoice_service.intake.invoice_imports.rules import Profile

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
FieldName = Literal[
    "reference", "supplier_reference", "supplier_name", "number", "kind", "purchase_order_number", "issued_on",
    "received_on", "due_on", "paid_on", "net", "vat", "gross", "vat_rate", "department", "description",
]  # fmt: skip


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


ColumnNames = Annotated[list[ColumnName], Field(min_length=1, max_length=20), BeforeValidator(_one_or_several)]


class InvoiceLine(NamedTuple):
    """A line of such a file as it was read; the mapping's fields are these, in this order. Amounts are pence."""

    reference: str | None
    supplier_reference: str
    supplier_name: str | None
    number: str
    kind: str | None
    purchase_order_number: str | None
    issued_on: date | None
    received_on: date
    due_on: date | None
    paid_on: date | None
    net: int | None
    vat: int | None
    gross: int | None
    vat_rate: str | None
    department: str | None
    description: str | None


class ColumnMapping(RequestModel):
    """How a sender's file is read: `columns` names its column (or several, best first) for a field of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Annotated[dict[FieldName, ColumnNames], Field(default_factory=dict)]
    date_order: Literal["dmy", "mdy"] = "dmy"
    amounts: Literal["pence", "pounds"] = "pence"


_COLUMNS: Final[dict[FieldName, tuple[str, ...]]] = {
    "reference": ("reference", "source.reference", "source_reference"),
    "supplier_reference": (
        "supplier_reference", "supplier.reference", "supplier_number", "supplier_id", "vendor_number",
    ),
    "supplier_name": ("supplier_name", "supplier.name", "supplier", "vendor_name"),
    "number": ("number", "invoice_number", "invoice_no"),
    "kind": ("kind", "document_type"),
    "purchase_order_number": ("purchase_order_number", "purchase_order", "po_number"),
    "issued_on": ("issued_on", "invoice_date", "issue_date", "tax_point"),
    "received_on": ("received_on", "received_date", "date_received"),
    "due_on": ("due_on", "due_date"),
    "paid_on": ("paid_on", "payment_date", "date_paid"),
    "net": ("net", "net_amount"),
    "vat": ("vat", "vat_amount"),
    "gross": ("gross", "gross_amount", "total"),
    "vat_rate": ("vat_rate",),
    "department": ("department", "service_area", "cost_centre"),
    "description": ("description", "details"),
}  # fmt: skip
_DATES: Final = frozenset({"issued_on", "received_on", "due_on", "paid_on"})
_AMOUNTS: Final = frozenset({"net", "vat", "gross"})
_REQUIRED: Final = frozenset({"supplier_reference", "number", "received_on"})


def mapping_of(profile: Profile, columns: ColumnMapping) -> Mapping:
    """The library's mapping for a file of this profile."""
    if profile is Profile.PUBLISHED_SPEND:
        return PUBLISHED_SPEND
    fields = tuple(_field(cast(FieldName, name), columns) for name in InvoiceLine._fields)
    return Mapping(fields=fields, amount="net", extra_cells="refuse")


def _field(name: FieldName, sender: ColumnMapping) -> MappedField:
    named = sender.columns.get(name)
    accepted = _COLUMNS[name] if named is None else tuple(named)
    if name in _AMOUNTS and named is None and sender.amounts == "pence":
        accepted = (f"{name}_pence",)
    return MappedField(
        name=name,
        columns=accepted,
        kind=_kind(name, sender),
        presence="value" if name in _REQUIRED else "optional",
        date_order=sender.date_order,
        max_length=200 if name != "description" else 1000,
    )


def _kind(name: str, sender: ColumnMapping) -> Literal["text", "money", "pence", "date"]:
    if name in _DATES:
        return "date"
    if name in _AMOUNTS:
        return "pence" if sender.amounts == "pence" else "money"
    return "text"
