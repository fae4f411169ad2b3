"""What a receipt is set against, and on which basis.

The debtor may appropriate at payment; failing that the creditor; failing both, the earliest debt is paid first
(Clayton's Case, Devaynes v Noble [1816] 1 Mer 572). So: what the payer named or quoted, and nothing else; of a known
payer who quotes nothing the same amount, else the oldest due, within one type of debt (council policy). What remains is
on account, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.errors import Conflict, FieldError, Malformed
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
    """A receipt is received, and reversed where the money went back."""

    RECEIVED = "received"
    REVERSED = "reversed"


NEXT: Mapping[ReceiptStatus, frozenset[ReceiptStatus]] = {
    ReceiptStatus.RECEIVED: frozenset({ReceiptStatus.REVERSED}),
    ReceiptStatus.REVERSED: frozenset(),
}


class AllocationBasis(StrEnum):
    """Why this receivable: the evidence kept with an allocation."""

    EXPLICIT = "explicit"
    QUOTED_REFERENCE = "quoted_reference"
    SAME_AMOUNT = "same_amount"
    OLDEST_DUE = "oldest_due"
    BY_HAND = "by_hand"
    MOVED = "moved"


class UnallocatedReason(StrEnum):
    """Why a receipt, or what is left of it, waits for an officer."""

    PAYER_UNKNOWN = "payer_unknown"
    REFERENCE_UNREADABLE = "reference_unreadable"
    ANOTHER_CUSTOMERS_NUMBER = "another_customers_number"
    QUOTED_OWES_NOTHING = "quoted_owes_nothing"
    MORE_THAN_QUOTED = "more_than_quoted"
    MORE_THAN_NAMED = "more_than_named"
    SEVERAL_DEBT_TYPES = "several_debt_types"
    NOTHING_MORE_OWED = "nothing_more_owed"
    DEBT_IN_DISPUTE = "debt_in_dispute"
    ALLOCATION_REVERSED = "allocation_reversed"


class AllocationReversalReason(StrEnum):
    """Why one allocation was wrong; published in the event, so a code and never a sentence."""

    WRONG_DEBT = "wrong_debt"
    WRONG_PAYER = "wrong_payer"
    WRONG_AMOUNT = "wrong_amount"
    PAYERS_WISH = "payers_wish"
    CHARGE_CORRECTED = "charge_corrected"
    OTHER = "other"


class AllocationReversed(Conflict):
    """The allocation was reversed already, for another reason."""

    code = "allocation-reversed"


class AnothersDebt(Conflict):
    """A receipt from one customer names a receivable of another: only an officer sets it against that."""

    code = "another-customers-debt"


class NotEnoughLeft(Conflict):
    """More was to be allocated than the receipt has left."""

    code = "not-enough-left"


class Payments(StrEnum):
    """What becomes of the payments of a charge that is corrected."""

    MOVE = "move"
    RELEASE = "release"


class PaymentsNotDecided(Malformed):
    """A charge goes to another customer, and nobody said whether its payments do."""

    code = "payments-not-decided"

    def __init__(self) -> None:
        error = FieldError(
            "payments", "missing, as the customer changes", "move, or release where the payer has it back"
        )
        super().__init__("Do the payments go with the charge, or back on account of who paid?", errors=[error])


class ChargeCorrected(Conflict):
    """Another charge was raised in place of this one: that one is to be corrected, if it is wrong as well."""

    code = "charge-corrected"

    def __init__(self, number: str, *, replaced_by: str) -> None:
        super().__init__(f"Receivable {number} was corrected: {replaced_by} was raised in its place. Correct that one.")


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """An allocation that a caller requests, by receivable id or number."""

    receivable_id: UUID | None
    number: str | None
    amount_pence: int


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """Money received, as the source (a bank statement, a till) sends it."""

    source_system: str
    source_reference: str
    received_on: date
    amount_pence: int
    method: ReceiptMethod
    payer_reference: str | None
    customer_id: UUID | None
    requests: tuple[AllocationRequest, ...]


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """A part of a receipt to be set against an open item; `moved_from_id` is the allocation whose money it was."""

    item: OpenItem
    amount_pence: int
    basis: AllocationBasis
    moved_from_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AllocationPlan:
    """Whose money a receipt is, what it is set against, and why the rest, where there is any, stays on account."""

    customer_id: UUID | None
    lines: list[AllocationLine]
    unallocated_reason: UnallocatedReason


def sole_customer(items: Iterable[OpenItem]) -> UUID | None:
    """The one customer of these items, paid already or not: whose money it is when the payer is not named."""
    customers = {item.customer_id for item in items}
    return customers.pop() if len(customers) == 1 else None


def oldest_first_lines(amount_pence: int, items: Iterable[OpenItem], basis: AllocationBasis) -> list[AllocationLine]:
    """As much of an amount as these items owe, one line an item, the oldest due first."""
    left = amount_pence
    lines: list[AllocationLine] = []
    for item in sorted({item.id: item for item in items}.values(), key=_age):
        pence = min(left, item.outstanding_pence)
        if pence > 0:
            lines.append(AllocationLine(item, pence, basis))
            left -= pence
    return lines


def plan_quoted(
    amount_pence: int, quoted: Sequence[OpenItem], *, customer_id: UUID | None, is_unreadable: bool = False
) -> AllocationPlan:
    """Money whose payer's reference holds receivables' numbers: it pays those and nothing else.

    What is left, or a debt paid twice, is the payer's to have back or an officer's to set against another debt (council
    policy); where the reference also quotes something that cannot be read, that is why. A known payer who quotes
    another customer's number may mean either debt: nothing is posted, not even against what they quote of their own.
    """
    if customer_id is not None and any(item.customer_id != customer_id for item in quoted):
        return AllocationPlan(customer_id, [], UnallocatedReason.ANOTHER_CUSTOMERS_NUMBER)
    payer_id = customer_id or sole_customer(quoted)
    lines = oldest_first_lines(amount_pence, quoted, AllocationBasis.QUOTED_REFERENCE)
    if is_unreadable:
        reason = UnallocatedReason.REFERENCE_UNREADABLE
    else:
        reason = UnallocatedReason.MORE_THAN_QUOTED if lines else UnallocatedReason.QUOTED_OWES_NOTHING
    return AllocationPlan(payer_id, lines, reason)


def plan_unreadable(customer_id: UUID | None) -> AllocationPlan:
    """Money whose payer quoted something that cannot be read: it is for that, so no rule sets it against another debt
    (council policy)."""
    return AllocationPlan(customer_id, [], UnallocatedReason.REFERENCE_UNREADABLE)


def plan_unquoted(amount_pence: int, open_items: Sequence[OpenItem], *, customer_id: UUID | None) -> AllocationPlan:
    """Money that quotes nothing: a known payer's debt of the same amount, else their oldest.

    Only within one type of debt: which of several it is for, an officer decides (council policy: a payment of housing
    costs never pays another type of debt without an officer). And never a debt in dispute, which a payer pays only by
    saying so: the money would answer the dispute for them (council policy). An amount that is just that of a debt in
    dispute may be for it, so that it pays no other.
    """
    if customer_id is None:
        return AllocationPlan(None, [], UnallocatedReason.PAYER_UNKNOWN)
    owing = [item for item in open_items if item.outstanding_pence > 0 and not item.in_dispute]
    disputed = [item for item in open_items if item.outstanding_pence > 0 and item.in_dispute]
    same = [item for item in owing if item.outstanding_pence == amount_pence]
    if not same and any(item.outstanding_pence == amount_pence for item in disputed):
        return AllocationPlan(customer_id, [], UnallocatedReason.DEBT_IN_DISPUTE)
    if len({item.debt_type for item in same or owing}) > 1:
        return AllocationPlan(customer_id, [], UnallocatedReason.SEVERAL_DEBT_TYPES)
    basis = AllocationBasis.SAME_AMOUNT if same else AllocationBasis.OLDEST_DUE
    lines = oldest_first_lines(amount_pence, same or owing, basis)
    reason = UnallocatedReason.DEBT_IN_DISPUTE if disputed else UnallocatedReason.NOTHING_MORE_OWED
    return AllocationPlan(customer_id, lines, reason)


def check_requests(requested: Sequence[tuple[OpenItem, int]], *, left_pence: int) -> None:
    """Raise NotEnoughLeft or OverAllocated unless every requested allocation can be posted."""
    total = sum(pence for _, pence in requested)
    if total > left_pence:
        raise NotEnoughLeft(
            f"The allocations sum to {Money(total)}; the receipt has {Money(left_pence)} left.",
            errors=[FieldError("allocations", "sum to more than the receipt has left", f"at most {left_pence}")],
            left_pence=left_pence,
        )
    by_item: dict[UUID, int] = {}
    for position, (item, pence) in enumerate(requested):
        by_item[item.id] = by_item.get(item.id, 0) + pence
        item.check(by_item[item.id], field=f"allocations.{position}.amount_pence")


def _age(item: OpenItem) -> tuple[date, date, str]:
    return item.due_on, item.issued_on, item.number
