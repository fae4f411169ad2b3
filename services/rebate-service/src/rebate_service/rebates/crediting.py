"""What a credit note does to the rebates of the invoice it was set against. Source: payables.md 1.4, our rule.

Before payment the rebate is expected, and earned, on the netted amount. Afterwards it is reversed pro rata: what the
payments earned is assessed again on what is left of them, on their own days, and the part of the deduction that the
supplier gets back no longer counts as deducted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from council_common.clock import london_date
from council_common.contracts.invoices import CreditNoteApplicationReversedV1, CreditNoteAppliedV1
from council_common.money import half_up
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import AgreementsInForce
from rebate_service.agreements.store import agreements_of, lock_agreements_for_share
from rebate_service.rebates import rules, store
from rebate_service.rebates.events import RebateChange
from rebate_service.rebates.linear import AmountAtVatRate
from rebate_service.rebates.record import RebateRecord, amounts_from, amounts_json, changed_to, record_of
from rebate_service.rebates.rules import RebateStatus
from rebate_service.rebates.usecases import save_changes, unpaid_of, withdrawn

CREDITED, UNCREDITED = "credited", "credit_reversed"
_STANDING = (RebateStatus.EARNED, RebateStatus.MISSED, RebateStatus.OUTSIDE)


async def credit_rebates(session: AsyncSession, event: CreditNoteAppliedV1, *, at: datetime) -> list[RebateChange]:
    """Take a credit note off what an invoice is expected to earn, or off what its payments earned."""
    await lock_agreements_for_share(session)
    of_invoice = (await store.lock_rebates_of_invoices(session, [event.invoice_id])).get(event.invoice_id, [])
    agreements = await agreements_of(session, [event.supplier_id])
    changes = _after_payment(event, of_invoice, agreements) if event.after_payment else []
    if not event.after_payment and (unpaid := unpaid_of(of_invoice)) is not None:
        changes = [_before_payment(event, unpaid, agreements, at=at)]
    await save_changes(session, changes, at=at)
    return changes


async def owe_credited_again(
    session: AsyncSession, event: CreditNoteApplicationReversedV1, *, at: datetime
) -> list[RebateChange]:
    """A credit note was taken off an invoice again: so much more of it is to be paid, and may earn.

    What was paid meanwhile keeps what it earned: the payment was of the netted amount.
    """
    await lock_agreements_for_share(session)
    of_invoice = (await store.lock_rebates_of_invoices(session, [event.invoice_id])).get(event.invoice_id, [])
    agreements = await agreements_of(session, [event.supplier_id])
    if not of_invoice:
        return []
    unpaid = next((record for record in of_invoice if record.facts.payment_id is None), None)
    standing = unpaid is not None and unpaid.status is not RebateStatus.WITHDRAWN
    amounts = rules.joined([*(unpaid.facts.amounts if unpaid and standing else ()), *amounts_from(event.vat_shares)])
    paid_in_part = any(record.facts.payment_id and record.status in _STANDING for record in of_invoice)
    facts = (unpaid or of_invoice[0]).facts.unpaid()
    facts = facts._replace(vat_shares=amounts_json(amounts), part_payment=paid_in_part)
    agreement, today = agreements.of(facts.supplier_id, facts.received_on), london_date(at)
    if unpaid is None:
        change = RebateChange(None, record_of(facts, amounts, agreement, today=today), event.by, UNCREDITED)
    else:
        again = changed_to(unpaid, facts, amounts, agreement, today=today)
        change = RebateChange(unpaid, again, event.by, UNCREDITED)
    await save_changes(session, [change], at=at)
    return [change]


def _before_payment(
    event: CreditNoteAppliedV1, unpaid: RebateRecord, agreements: AgreementsInForce, *, at: datetime
) -> RebateChange:
    left = [] if event.settled else rules.left_over(unpaid.facts.amounts, amounts_from(event.vat_shares))
    if not left:
        return RebateChange(unpaid, withdrawn(unpaid, CREDITED), event.by, CREDITED)
    facts = unpaid.facts._replace(vat_shares=amounts_json(left))
    agreement = agreements.of(facts.supplier_id, facts.received_on)
    return RebateChange(unpaid, changed_to(unpaid, facts, left, agreement, today=london_date(at)), event.by, CREDITED)


def _after_payment(
    event: CreditNoteAppliedV1, of_invoice: Sequence[RebateRecord], agreements: AgreementsInForce
) -> list[RebateChange]:
    """Each payment bears its part of the credit, by what it settles, and its part of the deduction given back."""
    paid = [record for record in of_invoice if record.facts.payment_id and record.status in _STANDING]
    amounts = amounts_from(event.vat_shares)
    sizes = [sum(amount.net_pence + amount.vat_pence for amount in record.facts.amounts) for record in paid]
    deductions = parted(event.deducted_pence, [record.facts.deducted_pence for record in paid])
    changes = []
    for record, taken, deducted in zip(paid, amounts_parted(amounts, sizes), deductions, strict=True):
        left = rules.left_over(record.facts.amounts, taken)
        facts = record.facts._replace(
            vat_shares=amounts_json(left), deducted_pence=record.facts.deducted_pence - deducted
        )
        agreement = agreements.of(facts.supplier_id, facts.received_on)
        changes.append(RebateChange(record, changed_to(record, facts, left, agreement), event.by, CREDITED))
    return changes


def amounts_parted(amounts: Sequence[AmountAtVatRate], sizes: Sequence[int]) -> list[list[AmountAtVatRate]]:
    """Amounts laid over parts in proportion to their sizes; at each VAT rate the parts sum to the whole."""
    laid = [(parted(amount.net_pence, sizes), parted(amount.vat_pence, sizes)) for amount in amounts]
    return [
        [
            AmountAtVatRate(vat_rate=amount.vat_rate, net_pence=net[place], vat_pence=vat[place])
            for amount, (net, vat) in zip(amounts, laid, strict=True)
        ]
        for place in range(len(sizes))
    ]


def parted(pence: int, sizes: Sequence[int]) -> list[int]:
    """Pence laid over parts in proportion to their sizes, by cumulative rounding; nothing where all are empty.

    >>> parted(100, [1, 1, 1]), parted(5, [0, 0])
    ([33, 34, 33], [0, 0])
    """
    whole, parts, seen, laid = sum(sizes), [], 0, 0
    for size in sizes:
        seen += size
        until = half_up(pence * seen, whole) if whole else 0
        parts.append(until - laid)
        laid = until
    return parts
