"""Which columns of a file of invoices mean what; the sender may name its own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, NamedTuple, cast

from council_common.errors import FieldError
from council_common.fields import PRINTABLE, RequestModel
from council_common.imports import Doubt, MappedField, Mapping
from council_common.imports.mapping import same_name
from council_common.imports.published_spend import PUBLISHED_SPEND
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from invoice_service.intake.invoice_imports.rules import ImportMalformed, Profile

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
FieldName = Literal[
    "reference", "supplier_reference", "supplier_name", "number", "kind", "purchase_order_number", "issued_on",
    "received_on", "due_on", "paid_on", "net", "vat", "gross", "vat_rate", "department", "description",
    # of published spending
    "body", "purpose", "category", "transaction_number", "invoice_number", "net_pence", "vat_pence", "gross_pence",
]  # fmt: skip


def _one_or_several(value: object) -> object:
    """A name, or the number of a column, counted from 1; or several, best first."""
    several = value if isinstance(value, list) else [value]
    return [f"#{one}" if isinstance(one, int) and not isinstance(one, bool) else one for one in several]


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
    """How a sender's file is read: `columns` names its column (or several, best first) for a field of ours.

    A column that is named has to be there, and serves one field unless it is `shared`. Without `date_order` each column
    of dates shows its own; without `amounts`, columns of amounts that were named are asked about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Annotated[dict[FieldName, ColumnNames], Field(default_factory=dict)]
    date_order: Literal["dmy", "mdy"] | None = None
    amounts: Literal["pence", "pounds"] | None = None
    shared: Annotated[list[ColumnName], Field(default_factory=list, max_length=20)]


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


def must_fit(mapping: ColumnMapping, profile: Profile) -> None:
    """Raise ImportMalformed for a mapping that names fields which files of the profile do not have."""
    fields = InvoiceLine._fields if profile is Profile.INVOICES else PUBLISHED_SPEND.names
    wrong = [name for name in mapping.columns if name not in fields]
    if wrong:
        right = f"one of {', '.join(fields)}"
        raise ImportMalformed(
            *(FieldError(f"mapping.columns.{name}", "is no field of this profile", right) for name in wrong)
        )
    if profile is Profile.PUBLISHED_SPEND and mapping.amounts == "pence":
        raise ImportMalformed(FieldError("mapping.amounts", "is pence; published amounts are pounds", "pounds"))


def mapping_of(profile: Profile, columns: ColumnMapping) -> Mapping:
    """The library's mapping for a file of this profile; its dates are day first until they were looked at."""
    if profile is Profile.PUBLISHED_SPEND:
        mapping = PUBLISHED_SPEND.with_columns(columns.columns, shared=columns.shared)
    else:
        fields = tuple(_field(cast(FieldName, name), columns) for name in InvoiceLine._fields)
        mapping = Mapping(fields=fields, amount="net", extra_cells="refuse", shared=tuple(columns.shared))
    if columns.date_order is None:
        return mapping
    dates = (field.name for field in mapping.fields if field.kind == "date")
    return mapping.with_date_orders(dict.fromkeys(dates, columns.date_order))


def doubts_about_amounts(profile: Profile, columns: ColumnMapping) -> list[Doubt]:
    """Amounts in a column that the sender named may be pounds or pence: 1500 is £15.00 or £1,500.00.

    The column's own name may say pence, as ours do.
    """
    if columns.amounts is not None or profile is Profile.PUBLISHED_SPEND:
        return []
    named = ((field, name) for field in sorted(_AMOUNTS) for name in columns.columns.get(cast(FieldName, field), ()))
    return [
        Doubt(field, ("pounds", "pence"), f"Are the amounts in the column {name!r} pounds or pence?")
        for field, name in named
        if not same_name(name).endswith("pence")
    ]


def _field(name: FieldName, sender: ColumnMapping) -> MappedField:
    named = sender.columns.get(name)
    accepted = _COLUMNS[name] if named is None else tuple(named)
    if name in _AMOUNTS and named is None and sender.amounts != "pounds":
        accepted = (f"{name}_pence",)
    return MappedField(
        name=name,
        columns=accepted,
        kind=_kind(name, sender),
        presence="value" if name in _REQUIRED else "optional",
        max_length=200 if name != "description" else 1000,
        named=named is not None,
    )


def _kind(name: str, sender: ColumnMapping) -> Literal["text", "money", "pence", "date"]:
    if name in _DATES:
        return "date"
    if name in _AMOUNTS:
        return "money" if sender.amounts == "pounds" else "pence"
    return "text"
