"""What is done with rebates: expect, earn, reverse, withdraw, assess again.

Each use case takes a batch of facts about different invoices and returns the changes it made, so that deductions can
be compared. A record with no payment stands for the unpaid part of its invoice; a payment takes it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.invoices import (
    InvoiceCancelledV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    InvoiceSettledV1,
    PaymentReturnedV1,
)
from council_common.identity.actor import SYSTEM
from council_common.recording import record_many
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import AgreementsInForce
from rebate_service.agreements.store import agreements_of, lock_agreements_for_share
from rebate_service.rebates import rules, store
from rebate_service.rebates.events import RebateChange, fact_of
from rebate_service.rebates.record import (
    RebateFacts,
    RebateRecord,
    amounts_from,
    amounts_json,
    changed_to,
    record_of,
)
from rebate_service.rebates.rules import UNPAID, MissedCause, RebateStatus

_CLOSED = frozenset({"paid", "rejected", "cancelled"})


async def expect_rebates(
    session: AsyncSession, events: Sequence[InvoiceReceivedV1], *, at: datetime
) -> list[RebateChange]:
    """What received invoices would earn on the target day. Historic ones and those known already do nothing.

    A credit note is expected to earn nothing: what it is applied to is worth less from then on.
    """
    events = [
        event for event in events if event.kind == "invoice" and not event.historic and event.status not in _CLOSED
    ]
    if not events:
        return []
    await lock_agreements_for_share(session)
    known = await store.lock_rebates_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    changes = []
    for event in events:
        if event.invoice_id in known:
            continue
        amounts = amounts_from(event.vat_shares)
        facts = RebateFacts(
            invoice_id=event.invoice_id,
            supplier_id=event.supplier_id,
            invoice_number=event.number,
            received_on=event.received_on,
            vat_shares=amounts_json(amounts),
            part_payment=False,
            department=event.department,
        )
        record = record_of(facts, amounts, agreements.of(event.supplier_id, event.received_on))
        changes.append(RebateChange(None, record, event.by))
    await save_changes(session, changes, at=at)
    return changes


async def settle_payments(
    session: AsyncSession, events: Sequence[InvoicePaidV1], *, at: datetime
) -> list[RebateChange]:
    """What payments earned or missed, each on its own days; a payment known already does nothing."""
    await lock_agreements_for_share(session)
    known = await store.lock_rebates_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    changes: list[RebateChange] = []
    today = london_date(at)
    for event in events:
        of_invoice = known.get(event.invoice_id, [])
        if not any(record.facts.payment_id == event.payment_id for record in of_invoice):
            changes += _settled(event, of_invoice, agreements, today)
    await save_changes(session, changes, at=at)
    return changes


def _settled(
    event: InvoicePaidV1, of_invoice: Sequence[RebateRecord], agreements: AgreementsInForce, today: date
) -> list[RebateChange]:
    """The payment's own record, and what it leaves of the unpaid part."""
    agreement = agreements.of(event.supplier_id, event.received_on)
    paid_before = any(record.facts.payment_id and record.status is not RebateStatus.REVERSED for record in of_invoice)
    amounts = amounts_from(event.vat_shares)
    facts = RebateFacts(
        invoice_id=event.invoice_id,
        supplier_id=event.supplier_id,
        invoice_number=event.number,
        received_on=event.received_on,
        vat_shares=amounts_json(amounts),
        part_payment=paid_before or not event.settled,
        valid_on=event.valid_on,
        payment_id=event.payment_id,
        remitted_on=event.remitted_on,
        arrives_on=event.arrives_on,
        method=event.method,
        disputed=event.disputed,
        deducted_pence=event.deducted_pence,
        department=event.department,
    )
    unpaid = unpaid_of(of_invoice)
    if unpaid is None:
        return [RebateChange(None, record_of(facts, amounts, agreement), event.by)]
    left = [] if event.settled else rules.left_over(unpaid.facts.amounts, amounts)
    if not left:
        return [RebateChange(unpaid, changed_to(unpaid, facts, amounts, agreement), event.by)]
    rest = unpaid.facts._replace(vat_shares=amounts_json(left), part_payment=True)
    return [
        RebateChange(None, record_of(facts, amounts, agreement), event.by),
        RebateChange(unpaid, changed_to(unpaid, rest, left, agreement, today=today), event.by),
    ]


def unpaid_of(of_invoice: Sequence[RebateRecord]) -> RebateRecord | None:
    return next((record for record in of_invoice if record.facts.payment_id is None and record.status in UNPAID), None)


async def reverse_payments(
    session: AsyncSession, events: Sequence[PaymentReturnedV1], *, at: datetime
) -> list[RebateChange]:
    """Take back what returned payments earned, once; what they settled is expected again. Source: our policy."""
    await lock_agreements_for_share(session)
    known = await store.lock_rebates_of_invoices(session, [event.invoice_id for event in events])
    agreements = await agreements_of(session, (event.supplier_id for event in events))
    changes: list[RebateChange] = []
    today = london_date(at)
    for event in events:
        of_invoice = known.get(event.invoice_id, [])
        returned = next((record for record in of_invoice if record.facts.payment_id == event.payment_id), None)
        if returned is not None and returned.status is not RebateStatus.REVERSED:
            changes += _reversed(event, returned, of_invoice, agreements, today)
    await save_changes(session, changes, at=at)
    return changes


def _reversed(
    event: PaymentReturnedV1,
    returned: RebateRecord,
    of_invoice: Sequence[RebateRecord],
    agreements: AgreementsInForce,
    today: date,
) -> list[RebateChange]:
    taken_back = returned._replace(
        version=returned.version + 1,
        # The deduction came back with the payment.
        assessment=returned.assessment._replace(
            status=rules.move(returned.status, RebateStatus.REVERSED), variance_pence=0, variance_cause=None
        ),
        returned_on=event.returned_on,
    )
    facts, amounts = returned.facts.unpaid(), returned.facts.amounts
    agreement = agreements.of(facts.supplier_id, facts.received_on)
    rest = next((record for record in of_invoice if record.facts.payment_id is None), None)
    if rest is None:
        again = RebateChange(None, record_of(facts, amounts, agreement, today=today), event.by)
    else:
        still_open = [] if rest.status is RebateStatus.WITHDRAWN else rest.facts.amounts
        amounts = rules.joined([*still_open, *amounts])
        facts = facts._replace(vat_shares=amounts_json(amounts))
        again = RebateChange(rest, changed_to(rest, facts, amounts, agreement, today=today), event.by)
    return [RebateChange(returned, taken_back, event.by, "payment_returned"), again]


async def withdraw_rebates(
    session: AsyncSession, events: Sequence[InvoiceCancelledV1 | InvoiceSettledV1], *, at: datetime
) -> list[RebateChange]:
    """Expect nothing more of cancelled invoices, and of those of zero; what their payments earned stands."""
    known = await store.lock_rebates_of_invoices(session, [event.invoice_id for event in events])
    changes = []
    for event in events:
        unpaid = unpaid_of(known.get(event.invoice_id, []))
        if unpaid is not None:
            cause, reason = "nothing_to_pay", "nothing_to_pay"
            if isinstance(event, InvoiceCancelledV1):
                cause, reason = event.reason, "invoice_cancelled"
            changes.append(RebateChange(unpaid, withdrawn(unpaid, cause), event.by, reason))
    await save_changes(session, changes, at=at)
    return changes


def withdrawn(unpaid: RebateRecord, cause: str) -> RebateRecord:
    status = rules.move(unpaid.status, RebateStatus.WITHDRAWN)
    assessment = unpaid.assessment._replace(status=status, cause=cause)
    return unpaid._replace(version=unpaid.version + 1, assessment=assessment)


async def lose_rebates(session: AsyncSession, *, at: datetime) -> list[RebateChange]:
    """Note the next rebates (at most 2,000) as lost that are expected though their term is over. Source: our policy."""
    today = london_date(at)
    await lock_agreements_for_share(session)
    records = await store.lock_rebates_past_term(session, today=today)
    agreements = await agreements_of(session, (record.facts.supplier_id for record in records))
    changes = []
    for record in records:
        facts = record.facts
        agreement = agreements.of(facts.supplier_id, facts.received_on)
        lost = changed_to(record, facts, facts.amounts, agreement, today=today)
        # One whose agreement was changed a moment ago is assessed again by its own job.
        if lost.status is RebateStatus.LOST:
            changes.append(RebateChange(record, lost, SYSTEM.subject, MissedCause.TERM_OVER))
    await save_changes(session, changes, at=at)
    return changes


async def assess_again(
    session: AsyncSession, supplier_id: UUID, *, received_from: date, after: UUID, at: datetime
) -> tuple[list[RebateChange], UUID | None]:
    """Assess the next rebates of a supplier by its agreement as it is now; returns changes and where to go on.

    An agreement may arrive after the invoices and payments it covers (they travel on another topic), or be agreed
    for past days: either way the result is the same as if it had come first.
    """
    records = await store.lock_rebates_of_supplier(session, supplier_id, received_from=received_from, after=after)
    agreements = await agreements_of(session, [supplier_id])
    changes = []
    today = london_date(at)
    for record in records:
        facts = record.facts
        agreement = agreements.of(supplier_id, facts.received_on)
        now = changed_to(record, facts, facts.amounts, agreement, today=today)
        if not now.is_assessed_like(record):
            reason = None if now.agreement_id else "agreement_ended"
            changes.append(RebateChange(record, now, SYSTEM.subject, reason))
    await save_changes(session, changes, at=at)
    return changes, records[-1].id if len(records) == store.CHUNK else None


async def save_changes(session: AsyncSession, changes: Sequence[RebateChange], *, at: datetime) -> None:
    """Write changed rebates, their history and their events."""
    await store.update_rebates(session, [change.after for change in changes if change.before is not None])
    await store.insert_rebates(session, [change.after for change in changes if change.before is None])
    await record_many(session, (fact_of(change, at) for change in changes), by=SYSTEM, at=at)
