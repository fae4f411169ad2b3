"""UK public bodies' published spending files, read as they are, whoever published them.

Source: Local Government Transparency Code 2015, part 2 (expenditure over £500 and procurement card
transactions: date, department, beneficiary, purpose, amount, irrecoverable VAT, category), and the Treasury's
guidance for central departments, which uses other names. The Code prescribes what, not how: the alternatives
below are the spellings that six bodies used in twelve years, best first; `words` are those of other bodies and of the
systems that made their files, in any order.
"""

from datetime import date
from typing import Final, Literal, NamedTuple

from council_common.imports.column_binding import ColumnBinding
from council_common.imports.mapping import MappedField, Mapping
from council_common.imports.vocabulary import words_of

AmountBasis = Literal["net", "gross", "unstated"]

_GROSS_NAMES: Final = ("Gross", "Gross Amount", "Amount Including VAT")
_NET_NAMES: Final = ("Net Amount", "Net", "Amount Excluding VAT")
_UNSTATED_NAMES: Final = (
    *("Amount", "Amount Paid", "Value", "Total", "Amount in Sterling", "AP Amount", "Transaction Amount"),
    *("Amount GBP", "Payment Amount", "Invoice Amount"),
)
_NET_WORDS: Final = ("net", "net paid", "net invoice", "net line", "net transaction", "net expense", "net pounds")
_GROSS_WORDS: Final = (
    "gross", "gross paid", "gross invoice", "gross line", "gross transaction", "gross expense", "gross pounds",
)  # fmt: skip


class PublishedSpendLine(NamedTuple):
    """One published payment line: `PublishedSpendLine(*row)` of a row read with `PUBLISHED_SPEND`.

    `net_pence` is on the file's `amount_basis`; a credit is negative. `supplier_name` may
    be blank or redacted (see `is_redacted`).
    """

    body: str | None
    department: str | None
    purpose: str | None
    category: str | None
    paid_on: date
    transaction_number: str | None
    invoice_number: str | None
    net_pence: int
    vat_pence: int | None
    gross_pence: int | None
    supplier_name: str | None
    supplier_reference: str | None


def _text(name: str, *columns: str, words: tuple[tuple[str, ...], ...] = ()) -> MappedField:
    return MappedField(name=name, columns=columns, words=words)


PUBLISHED_SPEND: Final = Mapping(
    fields=(
        # `Body` alone is often the address of the body's record, `Departmental Family` that of its ministry.
        _text(
            "body", "Body Name", "Organisation Name", "Organistion Name", "Organisation Label", "Authority Name",
            "Entity", "Departmental Family", "Body",
            words=(
                ("body name", "organisation name", "organisation"),
                ("department family", "department family name"),
            ),
        ),
        _text(
            "department", "Service Label", "Organisational Unit", "Service Area", "Directorate", "Department",
            "Expense Area",
            words=(
                ("service area", "service area name", "service area category", "department", "department name"),
                ("department service expense", "department service", "department or service area"),
                ("responsible unit", "organisation unit", "business unit", "service name", "service", "service unit"),
                ("expense area", "costcentre name", "costcentre description", "department description"),
            ),
        ),
        # Before `category`, which would otherwise take the only description that some bodies give.
        _text(
            "purpose", "Detailed Expenditure Type", "Detailed Expenses Type", "Purpose", "Expense Type",
            "Expenses Type", "Purpose of Spend (Summary)", "Purpose of Spend", "G/L Description",
            "G/L Descripition", "G/L Descript", "G/L no.", "Description", "Expenditure Category",
            words=(
                ("purpose", "expense purpose", "purpose description", "expense purpose description", "payment purpose"),
                ("expense type", "expense description", "expense type description", "expense name", "type of spend"),
                (
                    "description", "line description", "invoice description", "transaction description",
                    "payment description",
                ),
                ("account description", "account name", "account code description", "service description", "expense"),
            ),
        ),
        _text(
            "category", "Expenditure Category", "Category Internal Name", "Merchant Category", "Proclass",
            "Procurement Classification: Council's Procurement Category Name",
            words=(
                ("procurement category", "procurement category name", "procurement category description"),
                ("expense category", "category", "category name", "category description", "supplier category"),
            ),
        ),
        MappedField(
            name="paid_on", kind="date", presence="value",
            columns=(
                "Date Paid", "Payment Date", "Invoice Payment Date", "Date of Payment", "Paid Date", "Transaction Date",
                "Date", "Clearing Date", "Posting Date",
            ),
            words=(
                ("paid date", "invoice paid date", "paid transaction date", "paid line date", "supplier paid date"),
                ("clearing date", "paid clearing date", "transaction clearing date"),
                ("transaction date",), ("date",), ("posting date", "transaction posting date"),
            ),
        ),
        _text(
            "transaction_number", "Transaction Number", "SAP Document Number", "Document Number", "Document No",
            "Internal Ref Number", "Transaction No", "Transaction Ref", "Transaction Reference",
            words=(
                ("transaction number", "transaction code", "transaction"),
                ("document number", "internal number", "transaction document number"),
                ("payment number", "payment transaction number", "payment document number", "clearing document"),
                ("number",),
            ),
        ),
        _text(
            "invoice_number", "Invoice Number",
            words=(("invoice number", "supplier invoice number", "invoice"), ("invoice transaction number",)),
        ),
        MappedField(
            name="net_pence", kind="money", presence="value",
            columns=(*_NET_NAMES, *_UNSTATED_NAMES, *_GROSS_NAMES),
            words=(
                _NET_WORDS,
                (
                    "amount", "paid amount", "transaction amount", "invoice amount", "line amount", "expense amount",
                    "line expense amount", "paid transaction amount", "paid invoice amount", "paid line amount",
                    "pounds", "pounds amount", "document amount", "supplier amount", "expense",
                ),
                _GROSS_WORDS,
            ),
        ),
        MappedField(
            name="vat_pence", kind="money",
            columns=("VAT", "VAT Amount", "Irrecoverable VAT", "Irrecoverable VAT Amount"),
            words=(("vat", "invoice vat", "line vat", "transaction vat", "paid vat"),),
        ),
        MappedField(name="gross_pence", kind="money", columns=_GROSS_NAMES, words=(_GROSS_WORDS,)),
        MappedField(
            name="supplier_name", presence="column", holds_names=True,
            columns=(
                "Supplier Name", "Supplier", "Vendor Name", "Beneficiary Name", "Supplier(Beneficiary) Name",
                "Merchant Name", "Vendor", "Payee", "Payee Name",
            ),
            words=(("supplier name", "supplier organisation name", "supplier company name"), ("supplier",),
                   ("supplier description", "supplier paid", "supplier organisation", "supplier company")),
        ),
        _text(
            "supplier_reference", "Supplier Number", "Supplier ID", "Vendor Number",
            words=(("supplier number", "supplier code", "supplier account number"), ("supplier internal number",)),
        ),
    ),
    amount="net_pence",
    totals=True,
    # Bodies leave working columns behind the last named one; refusing those lines would lose real payments.
    extra_cells="ignore",
)  # fmt: skip


def amount_basis(binding: ColumnBinding) -> AmountBasis:
    """Whether a file's amounts are net of VAT, gross, or unstated (the Code asks for net of recoverable VAT)."""
    index = next(column.index for column in binding.columns if column.field == "net_pence")
    says = words_of(binding.header[index]).known if index is not None and index < len(binding.header) else frozenset()
    if "net" in says:
        return "net"
    return "gross" if "gross" in says else "unstated"
