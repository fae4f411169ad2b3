"""What the sample council knows before the platform does: the facts it sends, and measures the platform by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from demo.sample_council.days import Month

SOURCE = "erp"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a supplier agreed to; the rate is a decimal string of percent."""

    reference_rate_percent: str = "1.00"
    target_day: int = 10
    term_days: int = 30
    clock_start: str = "received"
    clock_end: str = "run_date"
    rebate_base: str = "net"
    vat_mode: str = "reduce_net_and_vat"
    collection: str = "deduct_at_source"


@dataclass(frozen=True, slots=True)
class Supplier:
    """A firm the council pays; with terms when it is in the early payment programme."""

    reference: str
    name: str
    sector: str
    email: str
    phone: str
    company_number: str
    vat_number: str
    sort_code: str
    account_number: str
    address: tuple[str, ...]
    postcode: str
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice or of a charge; the VAT rate is a decimal string of percent."""

    description: str
    net_pence: int
    vat_rate: str
    vat_pence: int
    department: str


class Way(StrEnum):
    """How an invoice reaches the platform."""

    POST = "post"
    NDJSON = "ndjson"
    CSV = "csv"
    XLSX = "xlsx"


class Fate(StrEnum):
    """What becomes of an invoice in the month."""

    PAID = "paid"
    PART_PAID_TWICE = "part_paid_twice"
    RETURNED_AND_REPAID = "returned_and_repaid"
    UNDER_DEDUCTED = "under_deducted"
    DISPUTED = "disputed"
    DUPLICATE = "duplicate"
    WAITS_FOR_NEW_ACCOUNT = "waits_for_new_account"
    PAID_AFTER_FALSE_ALARM = "paid_after_false_alarm"
    APPROVED = "approved"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Payment:
    """What the ERP pays, and when; `settles_pence` is paid and deducted together."""

    reference: str
    remitted_on: date
    arrives_on: date
    settles_pence: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A supplier's invoice and its payments in their order."""

    reference: str
    supplier: Supplier
    number: str
    issued_on: date
    received_on: date
    lines: tuple[Line, ...]
    way: Way
    fate: Fate
    payments: tuple[Payment, ...] = ()

    @property
    def net_pence(self) -> int:
        return sum(line.net_pence for line in self.lines)

    @property
    def vat_pence(self) -> int:
        return sum(line.vat_pence for line in self.lines)

    @property
    def gross_pence(self) -> int:
        return self.net_pence + self.vat_pence


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or body that owes the council money."""

    reference: str
    kind: str
    name: str
    email: str | None
    preferred_channel: str
    address: tuple[str, ...]
    postcode: str


@dataclass(frozen=True, slots=True)
class Receivable:
    """A charge to a customer."""

    reference: str
    number: str
    customer: Customer
    department: str
    issued_on: date
    due_on: date
    lines: tuple[Line, ...]

    @property
    def gross_pence(self) -> int:
        return sum(line.net_pence + line.vat_pence for line in self.lines)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in; `quotes` is what the payer wrote, `settles` the charge it is meant for, if one is known."""

    reference: str
    received_on: date
    amount_pence: int
    quotes: str
    settles: str | None


@dataclass(frozen=True, slots=True)
class DebtStories:
    """The charges that something special happens to, by number."""

    disputed: str
    cancelled: str
    left_out_of_first_run: str
    part_paid: str


@dataclass(frozen=True, slots=True)
class SampleCouncil:
    """The whole month."""

    month: Month
    sectors: tuple[tuple[str, str], ...]
    suppliers: tuple[Supplier, ...]
    invoices: tuple[Invoice, ...]
    customers: tuple[Customer, ...]
    receivables: tuple[Receivable, ...]
    receipts: tuple[Receipt, ...]
    debts: DebtStories

    def invoices_with(self, fate: Fate) -> list[Invoice]:
        """The invoices of one fate, in their order."""
        return [invoice for invoice in self.invoices if invoice.fate is fate]
