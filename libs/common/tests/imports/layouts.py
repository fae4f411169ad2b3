"""Files as bodies and their systems write them, from a seed: what is in them is known, how they look is chance.

The spellings are those that bodies publish and systems export, gathered from published files and guidance and not from
the reader's own lists.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_PAID_ON = (
    "Date Paid", "Payment Date", "PaymentDate", "Date of Payment", "paid date", "PAYMENT_DATE", "Invoice Payment Date",
    "Date Payment Made", "Posting Date", "Clearing Date", "Clearing date", "Transaction Date", "Date", "Pay Date",
    "Date of payment", "Trans Date", "Payment dt", "Cleared Date", "Remittance Date", "Date invoice paid",
)  # fmt: skip
_NET = (
    "Net Amount", "NetAmount", " Net Amount ", "Amount net of VAT", "Amount excluding VAT", "Amount (excludes VAT)",
    "Net Value", "Amount excl VAT", "Value Ex VAT", "Amount (ex VAT) £", "Net Amount (£)", "Net Invoice Amount",
    "Net amount including irrecoverable VAT", "Net of VAT", "Total excl. VAT",
)  # fmt: skip
_UNSTATED = (
    "Amount", "Amount in Sterling", "AP Amount", "Transaction Amount", "Amount (£)", "Value", "Total Amount", "Spend",
    "Amount GBP", "Amount Paid", "Payment Amount", "Invoice Amount", "Total Line Spend", "Value of Payment",
    "Amount £", "Sum of Amount", "Total", "Expenditure Amount", "TotalAmount", "Payment Value (£)", "Paid Amount",
)  # fmt: skip
_GROSS = ("Gross", "Gross Amount", "Amount including VAT", "Gross Value", "Amount inc VAT", "Total incl. VAT")
_SUPPLIER = (
    "Supplier", "Supplier Name", "SupplierName", "Vendor Name", "Vendor", "Beneficiary", "Beneficiary Name",
    "Merchant Name", "Payee", "Payee Name", "Name of Supplier", "Supplier (Beneficiary)",
    "Creditor Name", "Supplier name (beneficiary)",
    "Supplier Name (Payee)", "Paid To", "SUPPLIER_NAME", "Recipient", "Provider Name", "Merchant",
)  # fmt: skip
_NUMBER = (
    "Transaction Number", "Transaction No", "Transaction No.", "TransactionNumber", "Trans No", "Document Number",
    "Transaction ID", "Transaction Ref", "SAP Document Number", "Internal Ref Number", "Voucher Number", "Doc No",
    "Payment Number", "Payment Ref", "TransNo", "Unique Transaction Number",
)  # fmt: skip
_DEPARTMENT = (
    "Directorate", "Department", "Service Area", "Expense Area", "Responsible Unit", "Service area categorisation",
    "Business Unit", "Dept", "Service Label", "Department or service where expenditure occurred",
)  # fmt: skip
_PURPOSE = (
    "Expense Type", "Expenses Type", "Purpose", "Description", "Purpose of Spend", "Expenditure Type", "Narrative",
    "G/L Description", "Purpose of expenditure (narrative)", "Subjective Description", "Invoice Description",
)  # fmt: skip
_OTHER = {
    "Invoice Date": lambda random, day: (day - timedelta(days=random.randint(3, 25))).strftime("%d/%m/%Y"),
    "Supplier Postcode": lambda random, day: f"AB{random.randint(1, 30)} {random.randint(1, 9)}CD",
    "VAT Registration Number": lambda random, day: str(random.randint(10**8, 10**9 - 1)),
    "Cost Centre": lambda random, day: str(random.randint(10_000, 99_999)),
    "Account Code": lambda random, day: str(random.randint(1_000, 9_999)),
    "Capital or Revenue": lambda random, day: random.choice(("Capital", "Revenue")),
    "Contract Number": lambda random, day: f"C-{random.randint(100, 999)}",
    "Financial Year": lambda random, day: "2024/25",
}
_FIRMS = (
    "Ardley Paving Ltd", "Berrow Kerbs Limited", "Example Fuels plc", "Sample Print & Co", 'Larch "Trees" Ltd',
    "Müller Bau GmbH", "O'Neil Roofing", "Harbour, Dredging and Sons", "REDACTED PERSONAL DATA",
)  # fmt: skip
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d/%m/%Y 00:00:00")
_PLAIN = ("%Y-%m-%d", "%d %B %Y", "%d-%b-%y", "%A, %B %d, %Y", "%Y%m%d", "%Y-%m-%dT00:00:00")
_MONTH_FIRST = ("%m/%d/%Y",)


@dataclass(frozen=True, slots=True)
class Layout:
    """A file, what it means line by line (day, pence, supplier), and whether a person could read it in two ways."""

    content: bytes
    lines: list[tuple[date, int, str]]
    is_ambiguous: bool
    has_transaction_number: bool
    amount_basis: str


def a_layout(random: Random) -> Layout:
    """One file of published spending."""
    lines = _lines(random)
    pattern = random.choice((*_DAY_FIRST * 2, *_PLAIN, *_MONTH_FIRST))
    basis, names = random.choice((("net", _NET), ("unstated", _UNSTATED), ("gross", _GROSS)))
    money = random.choice((_bare, _with_commas, _with_pound, _minus_behind, _in_brackets))
    columns: dict[str, list[str]] = {
        random.choice(_PAID_ON): [day.strftime(pattern) for day, _, _ in lines],
        random.choice(names): [money(pence) for _, pence, _ in lines],
        random.choice(_SUPPLIER): [firm for _, _, firm in lines],
    }
    numbered = random.random() < 0.8
    if numbered:
        columns[random.choice(_NUMBER)] = [str(4_600_000 + place) for place in range(len(lines))]
    for spellings, values in ((_DEPARTMENT, ("Housing", "Highways", "Parks")), (_PURPOSE, ("Repairs", "Fees", "Fuel"))):
        if random.random() < 0.7:
            columns[random.choice(spellings)] = [random.choice(values) for _ in lines]
    for name, value in random.sample(sorted(_OTHER.items()), k=random.randint(0, 3)):
        columns[name] = [value(random, day) for day, _, _ in lines]
    second = None
    if random.random() < 0.06:
        second = random.choice([name for name in names if name.strip() not in map(str.strip, columns)])
        columns[second] = [money(pence + 100) for _, pence, _ in lines]
    order = random.sample(sorted(columns), k=len(columns))
    content = _written(random, order, [[columns[name][place] for name in order] for place in range(len(lines))])
    slashed = pattern in _DAY_FIRST or pattern in _MONTH_FIRST
    undecided = slashed and all(day.day <= 12 for day, _, _ in lines)
    either = undecided and (pattern in _MONTH_FIRST or len({day.day for day, _, _ in lines}) == 1)
    return Layout(content, lines, second is not None or either, numbered, basis)


def _lines(random: Random) -> list[tuple[date, int, str]]:
    first = date(random.randint(2012, 2025), random.randint(1, 12), 1)
    firms = random.sample(_FIRMS, k=random.randint(2, len(_FIRMS)))
    return [
        (
            first + timedelta(days=random.randint(0, 27)),
            random.choice((1, 1, 1, 1, -1)) * random.randint(100, 9_999_999),
            random.choice(firms),
        )
        for _ in range(random.randint(8, 40))
    ]


def _written(random: Random, order: list[str], rows: list[list[str]]) -> bytes:
    delimiter = random.choice((",", ",", ",", ";", "\t", "|"))
    end = random.choice(("\r\n", "\n"))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=random.choice((0, 0, 1)))
    for above in random.choice(
        ([], [], [["Payments over £500"]], [["SELECT a", " b FROM payments"]], [["Council"], []])
    ):
        writer.writerow([*above, *[""] * (len(order) - len(above))])
    writer.writerow(order)
    for row in rows:
        writer.writerow(row)
        if random.random() < 0.02:
            writer.writerow([""] * len(order))
    if random.random() < 0.2:
        writer.writerow(["Figures are published under the Transparency Code", *[""] * (len(order) - 1)])
    text = out.getvalue()
    encoding = random.choice(("utf-8", "utf-8-sig", "cp1252", "utf-16"))
    return text.encode(encoding)


def _sign(pence: int) -> str:
    return "-" if pence < 0 else ""


def _bare(pence: int) -> str:
    return f"{_sign(pence)}{abs(pence) // 100}.{abs(pence) % 100:02}"


def _with_commas(pence: int) -> str:
    return f"{_sign(pence)}{abs(pence) // 100:,}.{abs(pence) % 100:02}"


def _with_pound(pence: int) -> str:
    return f"{_sign(pence)}£{abs(pence) // 100:,}.{abs(pence) % 100:02}"


def _minus_behind(pence: int) -> str:
    return f"{abs(pence) // 100}.{abs(pence) % 100:02}{_sign(pence)}"


def _in_brackets(pence: int) -> str:
    whole = f"{abs(pence) // 100:,}.{abs(pence) % 100:02}"
    return f"({whole})" if pence < 0 else whole
