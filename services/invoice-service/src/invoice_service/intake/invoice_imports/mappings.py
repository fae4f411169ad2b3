"""Which columns of a file of invoices mean what; the sender may name its own."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as ByField
from datetime import date
from typing import Annotated, Final, Literal, NamedTuple, cast

from council_common.errors import FieldError
from council_common.fields import PRINTABLE, RequestModel
from council_common.imports import Doubt, MappedField, Mapping
from council_common.imports.dates import DateOrder
from council_common.imports.published_spend import PUBLISHED_SPEND
from council_common.imports.vocabulary import words_of
from pydantic import BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints, ValidationError

from invoice_service.intake.invoice_imports.rules import BY_SIGN, ImportMalformed, Profile

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


KindOfInvoice = Literal["invoice", "credit_note"]
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

    A column that is named has to be there, and serves one field unless it is `shared`. Without `date_order`, for all
    columns or by field, each column of dates shows its own; without `amounts`, columns of amounts that say neither
    pounds nor pence are asked about. `constants` are values of the whole file. `kinds` are the sender's words for an
    invoice or a credit note (`{"CRN": "credit_note"}`), or `by_sign`: a negative amount is a credit note, whatever its
    line calls itself. `month_day` is the day that stands for a month: 1 to 28, or `last`. `sheet` is the name of a
    workbook's sheet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Annotated[dict[FieldName, ColumnNames], Field(default_factory=dict)]
    date_order: DateOrder | dict[FieldName, DateOrder] | None = None
    amounts: Literal["pence", "pounds"] | None = None
    shared: Annotated[list[ColumnName], Field(default_factory=list, max_length=20)]
    constants: Annotated[dict[FieldName, ColumnName], Field(default_factory=dict)]
    kinds: Annotated[dict[ColumnName, KindOfInvoice], Field(max_length=50)] | Literal["by_sign"] | None = None
    month_day: Annotated[StrictInt, Field(ge=1, le=28)] | Literal["last"] | None = None
    sheet: Annotated[str, StringConstraints(min_length=1, max_length=31)] | None = None


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
_WORDS: Final[dict[FieldName, tuple[tuple[str, ...], ...]]] = {
    "reference": (("source reference", "internal reference", "own reference"),),
    "supplier_reference": (("supplier number", "supplier code", "supplier account number"),),
    "supplier_name": (("supplier name",), ("supplier",), ("supplier description", "supplier company")),
    "number": (("invoice number", "supplier invoice number"), ("invoice",)),
    "kind": (("document type", "invoice type", "transaction type"),),
    "purchase_order_number": (("order number", "order"),),
    "issued_on": (("invoice date", "issued date", "invoice issued date"), ("document date",)),
    "received_on": (("received date", "invoice received date", "received"),),
    "due_on": (("due date", "paid due date", "invoice due date"),),
    "paid_on": (("paid date", "invoice paid date"), ("clearing date",)),
    "net": (("net", "net invoice", "net line"),),
    "vat": (("vat", "invoice vat", "line vat"),),
    "gross": (("gross", "gross invoice", "gross line"), ("invoice amount", "amount")),
    "vat_rate": (("vat rate", "vat code"),),
    "department": (
        ("department", "department name", "service area", "service area name"),
        ("costcentre name", "costcentre description", "costcentre", "service", "business unit"),
    ),
    "description": (
        ("description", "line description", "invoice description", "purpose"), ("expense type", "expense description"),
    ),
}  # fmt: skip
_DATES: Final = frozenset({"issued_on", "received_on", "due_on", "paid_on"})
_AMOUNTS: Final = frozenset({"net", "vat", "gross"})
_REQUIRED: Final = frozenset({"supplier_reference", "number", "received_on"})


_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("invoice", "inv", "standard", "pinv", "purchase invoice"), "invoice"),
    **dict.fromkeys(
        ("credit_note", "credit note", "credit", "crn", "crd", "cr", "credit memo", "pcrn", "purchase credit note"),
        "credit_note",
    ),
}
_OF_A_LINE: Final = frozenset({*_AMOUNTS, "net_pence", "vat_pence", "gross_pence", "number", "kind"})


def must_fit(mapping: ColumnMapping, profile: Profile) -> None:
    """Raise ImportMalformed for a mapping that names fields which files of the profile do not have."""
    fields = InvoiceLine._fields if profile is Profile.INVOICES else PUBLISHED_SPEND.names
    by_field: dict[str, Iterable[FieldName]] = {"columns": mapping.columns, "constants": mapping.constants}
    if isinstance(mapping.date_order, dict):
        by_field["date_order"] = mapping.date_order
    faults = [
        FieldError(f"mapping.{part}.{name}", "is no field of this profile", f"one of {', '.join(fields)}")
        for part, names in by_field.items()
        for name in names
        if name not in fields
    ]
    for name in mapping.constants:
        if name in mapping.columns:
            faults.append(FieldError(f"mapping.constants.{name}", "has a column as well", "one of the two"))
        elif name in _OF_A_LINE:
            faults.append(FieldError(f"mapping.constants.{name}", "differs from line to line", "a column of the file"))
    if profile is Profile.PUBLISHED_SPEND and mapping.amounts == "pence":
        faults.append(FieldError("mapping.amounts", "is pence; published amounts are pounds", "pounds"))
    if faults:
        raise ImportMalformed(*faults)
    for name, value in mapping.constants.items():
        try:
            mapping_of(profile, mapping.model_copy(update={"columns": {}, "constants": {name: value}}))
        except ValidationError:
            wrong = FieldError(
                f"mapping.constants.{name}", "cannot be read", "a value of this field, dates as 2026-03-31"
            )
            raise ImportMalformed(wrong) from None


def mapping_of(profile: Profile, sender: ColumnMapping) -> Mapping:
    """The library's mapping for a file of this profile; its dates are day first until they were looked at."""
    if profile is Profile.PUBLISHED_SPEND:
        fields = PUBLISHED_SPEND.fields
    else:
        fields = tuple(_field(cast(FieldName, name), sender) for name in InvoiceLine._fields)
    fields = tuple(_as_sent(field, sender) for field in fields)
    base = PUBLISHED_SPEND if profile is Profile.PUBLISHED_SPEND else Mapping(fields=fields, amount="net")
    mapping = base.model_copy(update={"fields": fields, "shared": tuple(sender.shared), "sheet": sender.sheet})
    return mapping.with_date_orders(orders_of(sender, mapping))


def merged(before: ColumnMapping, own: ColumnMapping) -> ColumnMapping:
    """A mapping from before, changed by what the sender says now: what has names name by name, the rest as a whole.

    >>> merged(ColumnMapping(columns={"net": ["Cost"]}), ColumnMapping(amounts="pounds")).amounts
    'pounds'
    """
    both = before.model_dump(exclude_defaults=True)
    said = own.model_dump(exclude_defaults=True)
    for name, other in (("columns", "constants"), ("constants", "columns")):  # a field is read, or is the same for all
        both[name] = {field: value for field, value in both.get(name, {}).items() if field not in said.get(other, {})}
    for name, value in said.items():
        earlier = both.get(name)
        both[name] = {**earlier, **value} if isinstance(earlier, dict) and isinstance(value, dict) else value
    return ColumnMapping.model_validate(both)


def orders_of(sender: ColumnMapping, mapping: Mapping) -> dict[str, DateOrder]:
    """The order of dates by field, where the sender says it."""
    if isinstance(sender.date_order, dict):
        return {str(name): order for name, order in sender.date_order.items()}
    if sender.date_order is None:
        return {}
    return {field.name: sender.date_order for field in mapping.fields if field.kind == "date"}


def doubts_about_amounts(profile: Profile, sender: ColumnMapping, names: ByField[str, str]) -> list[Doubt]:
    """Amounts in a column that is not ours by name may be pounds or pence: 1500 is £15.00 or £1,500.00.

    `names` are those of the columns by field; the name itself may say pence, as ours do.
    """
    if sender.amounts is not None or profile is Profile.PUBLISHED_SPEND:
        return []
    return [
        Doubt(field, ("pounds", "pence"), f"Are the amounts in the column {names[field]!r} pounds or pence?")
        for field in sorted(_AMOUNTS & names.keys())
        if "pence" not in words_of(names[field]).known
    ]


def _as_sent(field: MappedField, sender: ColumnMapping) -> MappedField:
    """A field as the sender's mapping changes it."""
    name = cast(FieldName, field.name)
    update: dict[str, object] = {}
    if (columns := sender.columns.get(name)) is not None:
        update = {"columns": tuple(columns), "named": True}
    if (constant := sender.constants.get(name)) is not None:
        update = {"constant": constant}
    if field.kind == "date":
        update["month_day"] = sender.month_day
    return MappedField.model_validate({**field.model_dump(), **update}) if update else field


def _field(name: FieldName, sender: ColumnMapping) -> MappedField:
    in_pence = name in _AMOUNTS and sender.amounts != "pounds"
    if name == "kind" and sender.kinds == BY_SIGN:
        return MappedField(name=name, columns=("kind",), constant=BY_SIGN)
    return MappedField(
        name=name,
        columns=(f"{name}_pence",) if in_pence else _COLUMNS[name],
        words=(*_WORDS[name], *((f"{word} pence" for word in level) for level in _WORDS[name]))
        if in_pence
        else _WORDS[name],
        holds_names=name == "supplier_name",
        kind=_kind(name, sender),
        presence="value" if name in _REQUIRED else "optional",
        max_length=200 if name != "description" else 1000,
        values=_kinds(sender) if name == "kind" else {},
    )


def _kinds(sender: ColumnMapping) -> dict[str, str]:
    own = sender.kinds if isinstance(sender.kinds, dict) else {}
    return {**_KINDS, **{word.casefold(): kind for word, kind in own.items()}}


def _kind(name: str, sender: ColumnMapping) -> Literal["text", "money", "pence", "date"]:
    if name in _DATES:
        return "date"
    if name in _AMOUNTS:
        return "money" if sender.amounts == "pounds" else "pence"
    return "text"
