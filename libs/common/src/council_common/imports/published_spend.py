"""UK public bodies' published spending files, read as they are, whoever published them.

Source: Local Government Transparency Code 2015, part 2 (expenditure over £500 and procurement card
transactions: date, department, beneficiary, purpose, amount, irrecoverable VAT, category), and the Treasury's
guidance for central departments, which uses other names. The Code prescribes what, not how: the alternatives
below are the spellings that six bodies used in twelve years, best first.
"""

from datetime import date
from typing import Final, Literal, NamedTuple

from council_common.imports.column_binding import ColumnBinding
from council_common.imports.mapping import MappedField, Mapping

AmountBasis = Literal["net", "gross", "unstated"]

_GROSS_NAMES: Final = ("Gross", "Gross Amount", "Amount Including VAT")
_NET_NAMES: Final = ("Net Amount", "Net", "Amount Excluding VAT")
_UNSTATED_NAMES: Final = (
    *("Amount", "Amount Paid", "Value", "Total", "Amount in Sterling", "AP Amount", "Transaction Amount"),
    *("Amount GBP", "Payment Amount", "Invoice Amount"),
)


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


def _text(name: str, *columns: str, presence: Literal["column", "optional"] = "optional") -> MappedField:
    return MappedField(name=name, columns=columns, presence=presence)


PUBLISHED_SPEND: Final = Mapping(
    fields=(
        # `Body` alone is often the address of the body's record, `Departmental Family` that of its ministry.
        _text(
            "body", "Body Name", "Organisation Name", "Organistion Name", "Organisation Label", "Authority Name",
            "Entity", "Departmental Family", "Body",
        ),
        _text(
            "department", "Service Label", "Organisational Unit", "Service Area", "Directorate", "Department",
            "Expense Area",
        ),
        # Before `category`, which would otherwise take the only description that some bodies give.
        _text(
            "purpose", "Detailed Expenditure Type", "Detailed Expenses Type", "Purpose", "Expense Type",
            "Expenses Type", "Purpose of Spend (Summary)", "Purpose of Spend", "G/L Description",
            "G/L Descripition", "G/L Descript", "G/L no.", "Description", "Expenditure Category",
        ),
        _text(
            "category", "Expenditure Category", "Category Internal Name", "Merchant Category", "Proclass",
            "Procurement Classification: Council's Procurement Category Name",
        ),
        MappedField(
            name="paid_on", kind="date", presence="value",
            columns=(
                "Date Paid", "Payment Date", "Invoice Payment Date", "Date of Payment", "Paid Date", "Transaction Date",
                "Date", "Clearing Date", "Posting Date",
            ),
        ),
        _text(
            "transaction_number", "Transaction Number", "SAP Document Number", "Document Number", "Document No",
            "Internal Ref Number", "Transaction No", "Transaction Ref", "Transaction Reference",
        ),
        _text("invoice_number", "Invoice Number"),
        MappedField(
            name="net_pence", kind="money", presence="value",
            columns=(*_NET_NAMES, *_UNSTATED_NAMES, *_GROSS_NAMES),
        ),
        MappedField(
            name="vat_pence", kind="money",
            columns=("VAT", "VAT Amount", "Irrecoverable VAT", "Irrecoverable VAT Amount"),
        ),
        MappedField(name="gross_pence", kind="money", columns=_GROSS_NAMES),
        _text(
            "supplier_name", "Supplier Name", "Supplier", "Vendor Name", "Beneficiary Name",
            "Supplier(Beneficiary) Name", "Merchant Name", "Vendor", "Payee", "Payee Name", presence="column",
        ),
        _text("supplier_reference", "Supplier Number", "Supplier ID", "Vendor Number"),
    ),
    amount="net_pence",
    totals=True,
    # Bodies leave working columns behind the last named one; refusing those lines would lose real payments.
    extra_cells="ignore",
)  # fmt: skip


def amount_basis(binding: ColumnBinding) -> AmountBasis:
    """Whether a file's amounts are net of VAT, gross, or unstated (the Code asks for net of recoverable VAT)."""
    source = binding.source_of("net_pence")
    if source in _NET_NAMES:
        return "net"
    return "gross" if source in _GROSS_NAMES else "unstated"
