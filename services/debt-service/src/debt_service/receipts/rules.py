"""What a receipt is set against, and on which basis (receivables.md §2.9).

The debtor may appropriate at payment; failing that the creditor; failing both, the earliest debt first (Clayton's
Case). So: what the payer named, then the same amount, then the oldest due; what remains is on account.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.errors import Conflict, FieldError, Malformed, NotFound
from council_common.money import Money

from debt_service.receivables.rules import Owed


class Method(StrEnum):
    """How the money came."""

    BACS_CREDIT = "bacs_credit"
    FASTER_PAYMENT = "faster_payment"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    CHEQUE = "cheque"
    CASH = "cash"
    OTHER = "other"


class ReceiptStatus(StrEnum):
    RECEIVED = "received"
    REVERSED = "reversed"


class Basis(StrEnum):
    """Why this receivable: evidence kept with each allocation."""

    EXPLICIT = "explicit"
    QUOTED_REFERENCE = "quoted_reference"
    SAME_AMOUNT = "same_amount"
    OLDEST_DUE = "oldest_due"
    BY_HAND = "by_hand"


class ReceiptNotFound(NotFound):
    code = "receipt-not-found"


class AnothersDebt(Conflict):
    """A receipt from one customer names a receivable of another: only an officer sets it against that."""

    code = "another-customers-debt"


class NotEnoughLeft(Conflict):
    """More was to be allocated than the receipt has left."""

    code = "not-enough-left"


class TooEarly(Malformed):
    code = "date-too-early"


@dataclass(frozen=True, slots=True)
class Wish:
    """An allocation somebody asks for, by receivable id or number."""

    receivable_id: UUID | None
    number: str | None
    amount_pence: int


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """Money received, as the bank statement or the till tells it."""

    system: str
    reference: str
    received_on: date
    amount_pence: int
    method: Method
    payer_reference: str | None
    customer_id: UUID | None
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a receipt set against a receivable."""

    owed: Owed
    amount_pence: int
    basis: Basis


_WORD = re.compile(r"[A-Z0-9][A-Z0-9/-]*")
# Years, months, house numbers and amounts are shorter, and words without a digit name nothing: "RENT MARCH 2026" pays
# no receivable that happens to be called MARCH or 2026. Such a number has to be named in an allocation.
_QUOTABLE = re.compile(r"(?=.*[0-9]).{5,}")


def quoted_numbers(payer_reference: str | None) -> list[str]:
    """The words of a payer's reference that may be receivable numbers (receivables.md §4: an exact reference).

    >>> quoted_numbers("inv r0000123, thanks, March 2026")
    ['R0000123']
    """
    words = _WORD.findall((payer_reference or "").upper())
    return list(dict.fromkeys(word for word in words if _QUOTABLE.fullmatch(word)))[:20]


def owner(quoted: Iterable[Owed]) -> UUID | None:
    """Whose money it is when the payer names nobody: the one customer of what is quoted, paid already or not."""
    customers = {owed.customer_id for owed in quoted}
    return customers.pop() if len(customers) == 1 else None


def shares(amount_pence: int, *, quoted: Iterable[Owed], of_customer: Sequence[Owed]) -> list[Share]:
    """How a receipt without named allocations is set against debts; the rest stays on account."""
    left = amount_pence
    result: list[Share] = []
    taken: set[UUID] = set()

    def take(owed: Owed, basis: Basis) -> None:
        nonlocal left
        pence = min(left, owed.outstanding_pence)
        if pence > 0 and owed.id not in taken:
            taken.add(owed.id)
            result.append(Share(owed, pence, basis))
            left -= pence

    for owed in sorted(quoted, key=_oldest_first):
        take(owed, Basis.QUOTED_REFERENCE)
    oldest = sorted(of_customer, key=_oldest_first)
    same = next((owed for owed in oldest if owed.outstanding_pence == left and owed.id not in taken), None)
    if same is not None:
        take(same, Basis.SAME_AMOUNT)
    for owed in oldest:
        take(owed, Basis.OLDEST_DUE)
    return result


def check_wishes(asked: Sequence[tuple[Owed, int]], *, left_pence: int) -> None:
    """Raise OverAllocated or NotEnoughLeft unless all that is asked for can be done."""
    total = sum(pence for _, pence in asked)
    if total > left_pence:
        raise NotEnoughLeft(
            f"The allocations sum to {Money(total)}; the receipt has {Money(left_pence)} left.",
            errors=[FieldError("allocations", "sum to more than the receipt has left", f"at most {left_pence}")],
            left_pence=left_pence,
        )
    of_each: dict[UUID, int] = {}
    for position, (owed, pence) in enumerate(asked):
        of_each[owed.id] = of_each.get(owed.id, 0) + pence
        owed.check(of_each[owed.id], field=f"allocations.{position}.amount_pence")


def paid_on(owed: Owed, received_on: date) -> date:
    """The day an allocation counts for: no debt is paid before it was raised."""
    return max(received_on, owed.issued_on)


def _oldest_first(owed: Owed) -> tuple[date, date, str]:
    return owed.due_on, owed.issued_on, owed.number
