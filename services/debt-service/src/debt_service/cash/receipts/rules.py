"""What a receipt is set against, and on which basis (receivables.md §2.9).

The debtor may appropriate at payment; failing that the creditor; failing both, the earliest debt first (Clayton's
Case). So: what the payer named or quoted, and nothing else; of a known payer who quotes nothing the same amount, else
the oldest due, within one type of debt. What remains is on account, with the reason.
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

from debt_service.ledger.receivables.rules import OpenItem


class ReceiptMethod(StrEnum):
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


class AllocationBasis(StrEnum):
    """Why this receivable: evidence kept with each allocation."""

    EXPLICIT = "explicit"
    QUOTED_REFERENCE = "quoted_reference"
    SAME_AMOUNT = "same_amount"
    OLDEST_DUE = "oldest_due"
    BY_HAND = "by_hand"


class UnallocatedReason(StrEnum):
    """Why money, or what is left of it, waits for an officer: kept with the receipt."""

    PAYER_UNKNOWN = "payer_unknown"
    ANOTHER_CUSTOMERS_NUMBER = "another_customers_number"
    QUOTED_OWES_NOTHING = "quoted_owes_nothing"
    MORE_THAN_QUOTED = "more_than_quoted"
    MORE_THAN_NAMED = "more_than_named"
    SEVERAL_DEBT_TYPES = "several_debt_types"
    NOTHING_MORE_OWED = "nothing_more_owed"


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
class AllocationRequest:
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
    method: ReceiptMethod
    payer_reference: str | None
    customer_id: UUID | None
    requests: tuple[AllocationRequest, ...]


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """A part of a receipt set against a receivable."""

    owed: OpenItem
    amount_pence: int
    basis: AllocationBasis


@dataclass(frozen=True, slots=True)
class AllocationPlan:
    """Whose money a receipt is, what it is set against, and why the rest, where there is any, stays on account."""

    customer_id: UUID | None
    shares: list[AllocationLine]
    on_account: UnallocatedReason


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


def owner(quoted: Iterable[OpenItem]) -> UUID | None:
    """Whose money it is when the payer names nobody: the one customer of what is quoted, paid already or not."""
    customers = {owed.customer_id for owed in quoted}
    return customers.pop() if len(customers) == 1 else None


def shares(amount_pence: int, owed: Iterable[OpenItem], basis: AllocationBasis) -> list[AllocationLine]:
    """As much of an amount as these debts owe, each once, the oldest due first."""
    left = amount_pence
    result: list[AllocationLine] = []
    for each in sorted({one.id: one for one in owed}.values(), key=_oldest_first):
        pence = min(left, each.outstanding_pence)
        if pence > 0:
            result.append(AllocationLine(each, pence, basis))
            left -= pence
    return result


def plan_quoted(amount_pence: int, quoted: Sequence[OpenItem], *, customer_id: UUID | None) -> AllocationPlan:
    """Money whose payer's reference holds receivables' numbers: it pays those and nothing else.

    What is left, or a debt paid twice, is the payer's to have back or an officer's to set against another debt
    (receivables.md §4 step 4: "auto part-payment or on-account"). A known payer who quotes another customer's number
    may mean either debt: nothing is posted, not even against what they quote of their own.
    """
    whose = customer_id or owner(quoted)
    if customer_id is not None and any(owed.customer_id != customer_id for owed in quoted):
        return AllocationPlan(whose, [], UnallocatedReason.ANOTHER_CUSTOMERS_NUMBER)
    paid = shares(amount_pence, quoted, AllocationBasis.QUOTED_REFERENCE)
    return AllocationPlan(
        whose, paid, UnallocatedReason.MORE_THAN_QUOTED if paid else UnallocatedReason.QUOTED_OWES_NOTHING
    )


def plan_unquoted(amount_pence: int, open_debts: Sequence[OpenItem], *, customer_id: UUID | None) -> AllocationPlan:
    """Money that quotes nothing: a known payer's debt of the same amount, else their oldest.

    Only within one type of debt: which of several it is for, an officer decides (receivables.md §2.9: housing-cost
    payments "never cross debt types without an officer").
    """
    if customer_id is None:
        return AllocationPlan(None, [], UnallocatedReason.PAYER_UNKNOWN)
    owing = [owed for owed in open_debts if owed.outstanding_pence > 0]
    same = [owed for owed in owing if owed.outstanding_pence == amount_pence]
    if len({owed.debt_type for owed in same or owing}) > 1:
        return AllocationPlan(customer_id, [], UnallocatedReason.SEVERAL_DEBT_TYPES)
    paid = shares(amount_pence, same or owing, AllocationBasis.SAME_AMOUNT if same else AllocationBasis.OLDEST_DUE)
    return AllocationPlan(customer_id, paid, UnallocatedReason.NOTHING_MORE_OWED)


def check_requests(asked: Sequence[tuple[OpenItem, int]], *, left_pence: int) -> None:
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


def paid_on(owed: OpenItem, received_on: date) -> date:
    """The day an allocation counts for: no debt is paid before it was raised."""
    return max(received_on, owed.issued_on)


def _oldest_first(owed: OpenItem) -> tuple[date, date, str]:
    return owed.due_on, owed.issued_on, owed.number
