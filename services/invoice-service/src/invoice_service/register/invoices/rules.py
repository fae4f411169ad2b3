"""What an invoice may be and become; sums, dates, VAT shares and when two numbers are the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.errors import (
    Conflict,
    DateInFuture,
    DateRefused,
    DatesOutOfOrder,
    DateTooEarly,
    FieldError,
    Malformed,
    not_in_future,
    not_too_early,
)
from council_common.errors import move as move_state
from council_common.fields import EARLIEST
from council_common.holds import ReleaseReason
from council_common.imports import Problem
from council_common.money import MAX_PENCE

from invoice_service.register.invoices.vat import is_possible, plain_rate


class InvoiceKind(StrEnum):
    """A credit note is an invoice the other way round: its amounts are negative."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class InvoiceStatus(StrEnum):
    """Where an invoice is between receipt and payment (received to paid, held in between)."""

    RECEIVED = "received"
    HELD = "held"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


_S = InvoiceStatus
NEXT: Mapping[InvoiceStatus, frozenset[InvoiceStatus]] = {
    # Paid without approval, or while held: the paying system did so, and an exception says it.
    _S.RECEIVED: frozenset({_S.HELD, _S.APPROVED, _S.REJECTED, _S.CANCELLED, _S.PAID}),
    _S.HELD: frozenset({_S.HELD, _S.RECEIVED, _S.APPROVED, _S.SCHEDULED, _S.CANCELLED, _S.PAID}),
    _S.APPROVED: frozenset({_S.HELD, _S.SCHEDULED, _S.PAID, _S.CANCELLED}),
    _S.SCHEDULED: frozenset({_S.HELD, _S.APPROVED, _S.PAID}),
    # A returned payment: what was agreed stays agreed (and what was not, not), the money is owed again.
    _S.PAID: frozenset({_S.APPROVED, _S.RECEIVED}),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
}
ENDED = (InvoiceStatus.REJECTED, InvoiceStatus.CANCELLED)


class HoldReason(StrEnum):
    """Why an invoice may not be paid for the moment."""

    DISPUTE = "dispute"
    MISSING_PO = "missing_po"
    MISSING_RECEIPT = "missing_receipt"
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    BANK_ACCOUNT_CHANGE = "bank_account_change"
    SUPPLIER_HELD = "supplier_held"
    FRAUD_CHECK = "fraud_check"
    AMOUNTS_DISAGREE = "amounts_disagree"


class InvoiceFlag(StrEnum):
    """What is unusual about an invoice and does not keep it from being paid."""

    DATED_AFTER_RECEIPT = "dated_after_receipt"
    AMOUNTS_DISAGREE = "amounts_disagree"
    VAT_DERIVED = "vat_derived"
    DUPLICATE_SUSPECTED = "duplicate_suspected"


class CancelReason(StrEnum):
    """Why an invoice will not be paid."""

    ENTERED_IN_ERROR = "entered_in_error"
    DUPLICATE = "duplicate"
    WITHDRAWN_BY_SUPPLIER = "withdrawn_by_supplier"
    INVALID = "invalid"


class InvoiceHeld(Conflict):
    """The invoice is held; neither approved nor paid until every hold is released."""

    code = "invoice-held"


class HoldInPlace(Conflict):
    """The invoice is held for this reason already."""

    code = "hold-already-placed"


class HoldFollowsSupplier(Conflict):
    """The hold stands for something at the supplier and ends with it, not by hand."""

    code = "hold-follows-supplier"


class HoldFollowsAmounts(Conflict):
    """The hold stands for amounts that do not add up and ends when they are settled, not by hand."""

    code = "hold-follows-amounts"


class PartPaid(Conflict):
    """Some of the invoice is paid; it cannot be cancelled."""

    code = "invoice-part-paid"


class InvoiceMalformed(Malformed):
    """The invoice is invalid; `code` is that of its first problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [FieldError(problem.field, problem.problem, problem.expected) for problem in problems]
        super().__init__("The invoice is invalid; see errors.", errors=errors)
        self.code = problems[0].code


@dataclass(frozen=True, slots=True)
class Release:
    """Why a hold ends, and the day on which its reason was gone (None: today)."""

    reason: ReleaseReason
    note: str
    released_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice; `vat_rate` in percent."""

    description: str
    net_pence: int
    vat_rate: Decimal
    vat_pence: int
    department: str | None = None


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice as a source system sent it, its fields checked one by one.

    The supplier is named by our id or by its source; `due_on` None means by the supplier's terms.
    """

    supplier_id: UUID | None
    supplier_system: str | None
    supplier_reference: str | None
    kind: InvoiceKind
    source_system: str
    source_reference: str
    number: str
    purchase_order_number: str | None
    issued_on: date
    received_on: date
    due_on: date | None
    lines: tuple[Line, ...]
    net_pence: int
    vat_pence: int
    gross_pence: int


MAX_LINES = 10_000
_LONGEST_TERM = 30
_LONGEST_AHEAD = 366
# Letters of other alphabets that look like ours (Unicode UTS #39), in capitals: Cyrillic and Greek.
_LOOK_ALIKES = str.maketrans("АВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXABEZHIKMNOPTYX")
_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]+")
_LEADING = ("INV", "NO")


def normalised_number(number: str) -> str:
    """An invoice number as duplicates are found by it (in this order): upper-case, letters and
    digits only, no leading `INV`/`NO`, no leading zeros. A number of which nothing would be left stays as it is.
    What only looks like a Latin letter or digit counts as one.

    >>> normalised_number("INV-00123/A"), normalised_number("123a")
    ('123A', '123A')
    >>> normalised_number("Inv no. 0042"), normalised_number("000"), normalised_number("INV")
    ('42', '000', 'INV')
    """
    plain = number.upper() if number.isascii() else _in_latin(number)
    if not plain.isalnum():
        plain = _NEITHER_LETTER_NOR_DIGIT.sub("", plain)
    rest = plain
    while rest.startswith(_LEADING):
        rest = rest[3:] if rest.startswith("INV") else rest[2:]
    return rest.lstrip("0") or plain or number


def _in_latin(number: str) -> str:
    capitals = unicodedata.normalize("NFKC", number).upper().translate(_LOOK_ALIKES)
    return "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in capitals)


def transaction_key(number: str) -> str:
    """How a payer's own transaction number is kept as a number key: beside invoice numbers, never among them.

    >>> transaction_key("1307-00001")
    '#1307-00001'
    """
    return f"#{number.upper()}"


def problems_of(invoice: NewInvoice, *, today: date) -> list[Problem]:
    """Everything that is wrong with an invoice; empty when it can be right.

    Totals must add up exactly; a line's VAT has to be possible at its rate (vat.is_possible).
    """
    found = [
        *sums_that_differ(invoice),
        *dates_that_cannot_be(invoice.issued_on, invoice.received_on, invoice.due_on, today=today),
    ]
    found += sign_that_cannot_be(invoice.kind, invoice.gross_pence)
    return [*found, *amounts_too_large(invoice.lines), *vat_that_cannot_be(invoice.lines)]


def sign_that_cannot_be(kind: InvoiceKind, gross_pence: int) -> list[Problem]:
    """A negative invoice, or a credit note that is not."""
    if kind is InvoiceKind.INVOICE and gross_pence < 0:
        right = "0 or more; a credit note has kind credit_note"
        return [Problem("gross_pence", "negative-invoice", "an invoice is not negative", right)]
    if kind is InvoiceKind.CREDIT_NOTE and gross_pence >= 0:
        return [Problem("gross_pence", "positive-credit-note", "a credit note is negative", "less than 0")]
    return []


def amounts_too_large(lines: Sequence[Line]) -> list[Problem]:
    """Lines that are sound one by one and too much together: no share of theirs may be beyond what an event holds."""
    for name in ("net_pence", "vat_pence"):
        if sum(abs(getattr(line, name)) for line in lines) > MAX_PENCE:
            right = f"at most {MAX_PENCE} pence in all, whatever their signs"
            return [Problem("lines", "amount-too-large", f"the lines' {name} is too much", right)]
    return []


def vat_that_cannot_be(lines: Sequence[Line]) -> list[Problem]:
    """Lines whose VAT is of the other sign than their net, or more than their rate gives."""
    return [
        Problem(
            f"lines.{place}.vat_pence",
            "vat-beyond-rate",
            f"the VAT is not that of {line.net_pence} pence at {plain_rate(line.vat_rate)} percent",
            "net times rate, at most a penny more; 0 for a reverse charge",
        )
        for place, line in enumerate(lines)
        if not is_possible(line.net_pence, line.vat_pence, line.vat_rate)
    ]


def sums_that_differ(invoice: NewInvoice) -> list[Problem]:
    """Where lines and totals disagree."""
    net = sum(line.net_pence for line in invoice.lines)
    vat = sum(line.vat_pence for line in invoice.lines)
    sums = (
        ("net_pence", invoice.net_pence, net, "the lines' net"),
        ("vat_pence", invoice.vat_pence, vat, "the lines' VAT"),
        ("gross_pence", invoice.gross_pence, invoice.net_pence + invoice.vat_pence, "net and VAT"),
    )
    return [
        Problem(field, "sums-differ", f"is {stated} but {what} add up to {is_}", f"{is_}")
        for field, stated, is_, what in sums
        if stated != is_
    ]


def dates_that_cannot_be(issued_on: date, received_on: date, due_on: date | None, *, today: date) -> list[Problem]:
    """Dates in the future, before their cause, or before 1990-01-01.

    An invoice may be dated after its receipt (post-dated, a licence paid in advance): that is a flag, up to a year.
    """
    found: list[DateRefused] = []
    if received_on > today:
        found.append(DateInFuture("received_on", today=today))
    if (issued_on - received_on).days > _LONGEST_AHEAD:
        right = f"at most a year after {received_on}"
        found.append(DatesOutOfOrder("issued_on", problem="is more than a year after received_on", expected=right))
    if issued_on < EARLIEST:
        found.append(DateTooEarly("issued_on", EARLIEST, before=str(EARLIEST)))
    earliest = min(issued_on, received_on)
    if due_on is not None and (due_on < earliest or (due_on - received_on).days > _LONGEST_AHEAD):
        right = f"from {earliest} to a year after receipt"
        found.append(DatesOutOfOrder("due_on", problem="does not follow from the invoice", expected=right))
    return [problem_of(refused) for refused in found]


def problem_of(refused: DateRefused) -> Problem:
    """A refused date as one of several things that are wrong with an invoice."""
    [error] = refused.errors
    return Problem(error.field, refused.code, error.problem, error.expected or "")


@lru_cache(maxsize=4_096)
def due_date(received_on: date, terms_days: int) -> date:
    """The last day of a supplier's terms, where the invoice names no date: so many days beginning with receipt.

    At most thirty: Procurement Act 2023 s68(2), where a longer term is void.

    >>> due_date(date(2026, 4, 1), 30), due_date(date(2026, 4, 1), 60), due_date(date(2026, 4, 1), 0)
    (datetime.date(2026, 4, 30), datetime.date(2026, 4, 30), datetime.date(2026, 4, 1))
    """
    return received_on + timedelta(days=max(min(terms_days, _LONGEST_TERM) - 1, 0))


def pay_by(received_on: date, due_on: date) -> date:
    """The last day that is in time by s68(2): thirty days beginning with receipt, or when it falls due, if later.

    Source: Procurement Act 2023 s68(2).

    >>> pay_by(date(2026, 4, 1), date(2026, 4, 14)), pay_by(date(2026, 4, 1), date(2026, 6, 1))
    (datetime.date(2026, 4, 30), datetime.date(2026, 6, 1))
    """
    return max(due_date(received_on, _LONGEST_TERM), due_on)


def check_hold_day(field: str, on: date | None, *, received_on: date, today: date) -> None:
    """Raise DateTooEarly, DateInFuture for a reason to hold that arose, or was gone, on such a day."""
    if on is not None:
        not_too_early(field, on, received_on, before="the invoice was received")
        not_in_future(field, on, today=today)


def vat_shares(lines: Sequence[Line]) -> list[VatShare]:
    """The invoice per VAT rate, lowest rate first; the shares sum to the invoice."""
    net: dict[Decimal, int] = defaultdict(int)
    vat: dict[Decimal, int] = defaultdict(int)
    for line in lines:
        net[line.vat_rate] += line.net_pence
        vat[line.vat_rate] += line.vat_pence
    return [VatShare(vat_rate=rate, net_pence=net[rate], vat_pence=vat[rate]) for rate in sorted(net)]


def content_text(
    *,
    kind: str,
    number: str,
    purchase_order_number: str | None,
    dates: tuple[date, date, date | None],
    amounts: tuple[int, int, int],
    lines: str,
) -> str:
    """What two requests with one source reference must agree on, its supplier apart.

    `dates` are issued, received and due (None where the supplier's terms decide), `amounts` net, VAT and gross,
    `lines` the stored lines as `stored_lines` writes them. A file's line and a request can be the same invoice.
    """
    issued_on, received_on, due_on = dates
    due = due_on.toordinal() if due_on else 0
    return (
        f"{kind}\0{number}\0{purchase_order_number or ''}\0{issued_on.toordinal()}\0{received_on.toordinal()}"
        f"\0{due}\0{amounts[0]}\0{amounts[1]}\0{amounts[2]}\0{lines}"
    )


def content_hash(supplier_id: UUID | str, content: str) -> bytes:
    """A content text and whose it is, as 16 bytes."""
    return hashlib.blake2b(f"{supplier_id}\0{content}".encode(), digest_size=16).digest()


def stored_lines(lines: Iterable[Line]) -> str:
    """Lines as the JSON that is stored with the invoice."""
    return f"[{','.join(map(stored_line, lines))}]"


def stored_line(line: Line) -> str:
    """One line as JSON; a rate is written the same however it was sent."""
    department = "null" if line.department is None else encode_basestring(line.department)
    return (
        f'{{"description":{encode_basestring(line.description)},"net_pence":{line.net_pence},'
        f'"vat_rate":"{plain_rate(line.vat_rate)}","vat_pence":{line.vat_pence},"department":{department}}}'
    )


def move(current: InvoiceStatus, wanted: InvoiceStatus) -> InvoiceStatus:
    """The wanted status where the states allow it; raises IllegalMove."""
    return move_state(NEXT, current, wanted, thing="The invoice")
