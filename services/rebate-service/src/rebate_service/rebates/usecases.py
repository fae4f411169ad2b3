"""What is done with rebates: expect, earn, reverse, withdraw, look at again.

Each takes a batch of facts about different invoices and returns the changes it made, so that deductions can be
compared. An entry with no payment stands for the unpaid part of its invoice; a payment takes it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.contracts.invoices import (
    InvoiceCancelledV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    PaymentReturnedV1,
)
from council_common.identity.actor import SYSTEM
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import AgreementsInForce
from rebate_service.agreements.store import agreements_of, share_agreements
from rebate_service.rebates import rules, store
from rebate_service.rebates.announcements import RebateChange
from rebate_service.rebates.entry import Entry, Facts, changed_to, entry_of, facts_of, shares_from
from rebate_service.rebates.rules import Payment, RebateStatus

_GONE = frozenset({"paid", "rejected", "cancelled"})


async def expect_rebates(
    session: AsyncSession, events: Sequence[InvoiceReceivedV1], *, at: datetime
) -> list[RebateChange]:
    """What received invoices would earn on the target day. Historic ones and those known already do nothing."""
    events = [event for event in events if not event.historic and event.status not in _GONE]
    if not events:
        return []
    await share_agreements(session)
    known = await store.lock_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    told = []
    for event in events:
        if event.invoice_id in known:
            continue
        facts = Facts(
            event.invoice_id,
            None,
            event.supplier_id,
            event.number,
            event.received_on,
            None,
            None,
            False,
            shares_from(event.vat_shares),
        )
        entry = entry_of(facts, agreements.of(event.supplier_id, event.received_on), at=at)
        told.append(RebateChange(None, entry, event.by))
    await store.save(session, told, at=at)
    return told


async def settle_payments(
    session: AsyncSession, events: Sequence[InvoicePaidV1], *, at: datetime
) -> list[RebateChange]:
    """What payments earned or missed, each slice on its own days; a payment known already does nothing."""
    await share_agreements(session)
    known = await store.lock_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    told: list[RebateChange] = []
    for event in events:
        of_invoice = known.get(event.invoice_id, [])
        if not any(entry.payment_id == event.payment_id for entry in of_invoice):
            told += _settled(event, of_invoice, agreements, at)
    await store.save(session, told, at=at)
    return told


def _settled(
    event: InvoicePaidV1, of_invoice: Sequence[Entry], agreements: AgreementsInForce, at: datetime
) -> list[RebateChange]:
    """The payment's own entry, and what it leaves of the unpaid part."""
    agreement = agreements.of(event.supplier_id, event.received_on)
    paid_before = any(entry.payment_id and entry.status != RebateStatus.REVERSED for entry in of_invoice)
    facts = Facts(
        event.invoice_id,
        event.payment_id,
        event.supplier_id,
        event.number,
        event.received_on,
        event.valid_on,
        Payment(event.remitted_on, event.arrives_on, event.deducted_pence, event.disputed, event.method),
        paid_before or not event.settled,
        shares_from(event.vat_shares),
    )
    unpaid = _unpaid(of_invoice)
    if unpaid is None:
        return [RebateChange(None, entry_of(facts, agreement, at=at), event.by)]
    left = [] if event.settled else rules.left_over(unpaid.shares, facts.shares)
    if not left:
        return [RebateChange(unpaid, changed_to(unpaid, facts, agreement, at=at), event.by)]
    rest = facts_of(unpaid)._replace(shares=left, part_payment=True)
    return [
        RebateChange(None, entry_of(facts, agreement, at=at), event.by),
        RebateChange(unpaid, changed_to(unpaid, rest, agreement, at=at), event.by),
    ]


def _unpaid(of_invoice: Sequence[Entry]) -> Entry | None:
    open_ = (RebateStatus.EXPECTED, RebateStatus.OUTSIDE)
    return next((entry for entry in of_invoice if entry.payment_id is None and entry.status in open_), None)


async def reverse_payments(
    session: AsyncSession, events: Sequence[PaymentReturnedV1], *, at: datetime
) -> list[RebateChange]:
    """Take back what returned payments earned, once; what they settled is expected again (payables.md §1.4)."""
    await share_agreements(session)
    known = await store.lock_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    told: list[RebateChange] = []
    for event in events:
        of_invoice = known.get(event.invoice_id, [])
        returned = next((entry for entry in of_invoice if entry.payment_id == event.payment_id), None)
        if returned is not None and returned.status != RebateStatus.REVERSED:
            told += _reversed(event, returned, of_invoice, agreements, at)
    await store.save(session, told, at=at)
    return told


def _reversed(
    event: PaymentReturnedV1, returned: Entry, of_invoice: Sequence[Entry], agreements: AgreementsInForce, at: datetime
) -> list[RebateChange]:
    taken_back = returned._replace(
        version=returned.version + 1,
        status=rules.move(returned.status, RebateStatus.REVERSED),
        # The deduction came back with the payment.
        variance_pence=0,
        variance_cause=None,
        returned_on=event.returned_on,
        changed_at=at,
    )
    facts = facts_of(returned)._replace(payment_id=None, payment=None)
    agreement = agreements.of(returned.supplier_id, returned.received_on)
    again = RebateChange(None, entry_of(facts, agreement, at=at), event.by)
    rest = next((entry for entry in of_invoice if entry.payment_id is None), None)
    if rest is not None:
        kept = [] if rest.status == RebateStatus.WITHDRAWN else rest.shares
        facts = facts._replace(shares=rules.joined([*kept, *facts.shares]))
        again = RebateChange(rest, changed_to(rest, facts, agreement, at=at), event.by)
    return [RebateChange(returned, taken_back, event.by, "payment_returned"), again]


async def withdraw_rebates(
    session: AsyncSession, events: Sequence[InvoiceCancelledV1], *, at: datetime
) -> list[RebateChange]:
    """Expect nothing more of cancelled invoices; what their payments earned stands."""
    known = await store.lock_of_invoices(session, [event.invoice_id for event in events])
    told = []
    for event in events:
        unpaid = _unpaid(known.get(event.invoice_id, []))
        if unpaid is not None:
            status = rules.move(unpaid.status, RebateStatus.WITHDRAWN)
            after = unpaid._replace(version=unpaid.version + 1, status=status, cause=event.reason, changed_at=at)
            told.append(RebateChange(unpaid, after, event.by, "invoice_cancelled"))
    await store.save(session, told, at=at)
    return told


async def assess_again(
    session: AsyncSession, supplier_id: UUID, *, received_from: date, after: UUID, at: datetime
) -> tuple[list[RebateChange], UUID | None]:
    """Let the next rebates of a supplier meet its agreement as it is now; returns changes and where to go on.

    An agreement may be told after the invoices and payments it covers (they travel on other topics), or be agreed
    for days gone by: either way the result is the same as if it had come first.
    """
    entries = await store.lock_of_supplier(session, supplier_id, received_from=received_from, after=after)
    agreements = await agreements_of(session, [supplier_id])
    told = []
    for entry in entries:
        agreement = agreements.of(supplier_id, entry.received_on)
        now = changed_to(entry, facts_of(entry), agreement, at=at)
        of = (now.agreement_id, now.agreement_version, now.assessment)
        if of != (entry.agreement_id, entry.agreement_version, entry.assessment):
            told.append(RebateChange(entry, now, SYSTEM.subject, None if now.agreement_id else "agreement_ended"))
    await store.save(session, told, at=at)
    return told, entries[-1].id if len(entries) == store.CHUNK else None
