"""Putting a charge right: it is credited whole and raised anew, and its payments go with it or back on account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.database.rows import get_row, lock_row
from council_common.errors import IllegalMove, not_too_early
from council_common.identity.actor import Actor
from council_common.observability.logs import get_logger
from council_common.recording import ChangedMeanwhile
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.cash.receipts import store
from debt_service.cash.receipts.allocating import place
from debt_service.cash.receipts.reversing import Ended, take_back
from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationLine,
    AllocationReversalReason,
    ChargeCorrected,
    Payments,
    PaymentsNotDecided,
)
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.ledger.customers.store import lock_customers_for_share
from debt_service.ledger.receivables.rules import STANDARD_TERM, CancelReason, NewReceivable, ReceivableStatus
from debt_service.ledger.receivables.store import lock_open_item, replacement_of
from debt_service.ledger.receivables.tables import Receivable
from debt_service.ledger.receivables.usecases import credit_receivable, raise_receivables

log = get_logger()


@dataclass(frozen=True, slots=True)
class Replacement:
    """A charge that takes another's place; what is None stays as it was charged."""

    source_system: str
    source_reference: str
    number: str
    customer_id: UUID | None
    department: str | None
    debt_type: str | None
    due_on: date | None
    lines: tuple[dict[str, Any], ...]
    net_pence: int
    vat_pence: int
    gross_pence: int

    def of(self, wrong: Receivable, *, today: date) -> NewReceivable:
        """The charge to be raised: with the tax point of the wrong one, in the books from today.

        Who was not charged before has the standard term from today.
        """
        customer_id = self.customer_id or wrong.customer_id
        due_on = wrong.due_on if customer_id == wrong.customer_id else today + STANDARD_TERM
        return NewReceivable(
            source_system=self.source_system,
            source_reference=self.source_reference,
            customer_id=customer_id,
            customer_source=None,
            number=self.number,
            department=self.department or wrong.department,
            debt_type=self.debt_type or wrong.debt_type,
            issued_on=wrong.issued_on,
            due_on=self.due_on or due_on,
            lines=self.lines,
            net_pence=self.net_pence,
            vat_pence=self.vat_pence,
            gross_pence=self.gross_pence,
            replaces_id=wrong.id,
            counts_from=today,
        )


async def correct_charge(
    session: AsyncSession,
    receivable_id: UUID,
    replacement: Replacement,
    *,
    payments: Payments | None,
    reason: CancelReason,
    note: str,
    by: Actor,
    at: datetime,
) -> tuple[Receivable, bool]:
    """Credit a charge whole and raise it anew; a settled one, too.

    Its allocations are reversed and, where the payments move, made again to the new charge as far as it owes; the rest
    is on account. For the same customer they move unless they are released. Returns the new charge, and False where
    this was asked for before. Raises NotFound, PaymentsNotDecided where the customer changes, IllegalMove for a charge
    of which nothing is left, ChargeCorrected for one in whose place another was raised, what raising a charge raises,
    and ChangedMeanwhile.
    """
    wrong = await get_row(session, Receivable, receivable_id)
    new = replacement.of(wrong, today=london_date(at))
    if payments is None and new.customer_id != wrong.customer_id:
        raise PaymentsNotDecided
    not_too_early("receivable.due_on", new.due_on, new.issued_on, before="its tax point, the day the charge was issued")
    await lock_customers_for_share(session, [wrong.customer_id, new.customer_id or wrong.customer_id])
    released = await _release(session, wrong, note=note, by=by, at=at)
    if released is None:
        return await _corrected_before(session, wrong, replacement, by=by, at=at), False
    await credit_receivable(
        session, wrong.id, pence=None, reason=reason, note=note, replaced_by=new.number, by=by, at=at
    )
    [outcome] = await raise_receivables(session, [(0, new)], by=by, at=at)
    raised_id = outcome.id_or_refusal()
    if payments is not Payments.RELEASE:
        await _move(session, released, raised_id, note=note, by=by, at=at)
    log.info("charge_corrected", receivable_id=str(wrong.id), replaced_by=str(raised_id), payments=len(released))
    return await get_row(session, Receivable, raised_id), True


async def _corrected_before(
    session: AsyncSession, wrong: Receivable, replacement: Replacement, *, by: Actor, at: datetime
) -> Receivable:
    """The charge that took the place of one of which nothing is left: it counts from the day it was raised."""
    known = await replacement_of(session, wrong.id)
    if known is None:
        raise IllegalMove(f"Receivable {wrong.number}", ReceivableStatus.CANCELLED, "corrected")
    if (known.source_system, known.source_reference) != (replacement.source_system, replacement.source_reference):
        raise ChargeCorrected(wrong.number, replaced_by=known.number)
    again = replacement.of(wrong, today=known.counts_from or london_date(at))
    [outcome] = await raise_receivables(session, [(0, again)], by=by, at=at)
    return await get_row(session, Receivable, outcome.id_or_refusal())


async def _release(
    session: AsyncSession, wrong: Receivable, *, note: str, by: Actor, at: datetime
) -> Sequence[tuple[Receipt, Allocation]] | None:
    """Take back every allocation to a charge: first the receipts are locked, then the charge.

    None where nothing is left of it: it was credited whole, and nothing stands against it.
    """
    expected = await store.standing_on(session, wrong.id)
    receipts = {one.receipt_id: one for one in expected}
    locked = {receipt_id: await lock_row(session, Receipt, receipt_id) for receipt_id in sorted(receipts)}
    item = await lock_open_item(session, wrong.id)
    standing = await store.standing_on(session, wrong.id)
    if {one.receipt_id for one in standing} - locked.keys():
        raise ChangedMeanwhile("Money was set against this charge at the same moment. Read it again and repeat.")
    if item.outstanding_pence == 0 and not standing:
        return None
    for receipt_id, receipt in locked.items():
        ended = [Ended(one, london_date(at), item) for one in standing if one.receipt_id == receipt_id]
        if ended:
            reason = AllocationReversalReason.CHARGE_CORRECTED
            await take_back(session, receipt, ended, reason=reason, note=note, by=by, at=at)
    return [(locked[one.receipt_id], one) for one in standing]


async def _move(
    session: AsyncSession,
    released: Sequence[tuple[Receipt, Allocation]],
    receivable_id: UUID,
    *,
    note: str,
    by: Actor,
    at: datetime,
) -> None:
    """Set what paid the wrong charge against the new one, in the same order, as far as it owes."""
    item = await lock_open_item(session, receivable_id)
    left = item.outstanding_pence
    for receipt in {receipt.id: receipt for receipt, _ in released}.values():
        lines = []
        for of_receipt, allocation in released:
            if of_receipt.id == receipt.id and (pence := min(left, allocation.amount_pence)):
                line = AllocationLine(item, pence, AllocationBasis.MOVED, moved_from_id=allocation.id)
                lines.append(line)
                left -= pence
        if lines:
            await place(session, receipt, lines, note=note, by=by, at=at)
