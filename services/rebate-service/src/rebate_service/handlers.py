"""Another service's fact, and what we do."""

from __future__ import annotations

from collections.abc import Sequence

from council_common.contracts.invoices import (
    InvoiceCancelledV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    PaymentReturnedV1,
)
from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.events.contract import Event
from council_common.events.handlers import Handlers, Received
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import Terms
from rebate_service.agreements.usecases import agree_terms, decline_agreement
from rebate_service.rebate_variances.usecases import compare_deductions
from rebate_service.rebates.usecases import expect_rebates, reverse_payments, settle_payments, withdraw_rebates

handlers = Handlers()


@handlers.on(EarlyPaymentAgreedV1)
async def keep_agreement(session: AsyncSession, received: Received[EarlyPaymentAgreedV1]) -> None:
    """A supplier agreed to the programme: its agreement, or the next version of it."""
    agreed = received.event
    await agree_terms(
        session,
        agreed.supplier_id,
        Terms.named_in(agreed),
        effective_from=agreed.effective_from,
        by=_actor(agreed),
        at=received.now,
    )


@handlers.on(EarlyPaymentDeclinedV1)
async def end_agreement(session: AsyncSession, received: Received[EarlyPaymentDeclinedV1]) -> None:
    """A supplier said no, or left: its agreement ends."""
    declined = received.event
    await decline_agreement(
        session,
        declined.supplier_id,
        declined_on=declined.declined_on,
        reason=declined.reason,
        by=_actor(declined),
        at=received.now,
    )


@handlers.on_many(InvoiceReceivedV1)
async def expect_rebate(session: AsyncSession, received: Sequence[Received[InvoiceReceivedV1]]) -> None:
    """Invoices came in: what would they earn on the target day."""
    await expect_rebates(session, [each.event for each in received], at=received[0].now)


@handlers.on_many(InvoicePaidV1)
async def earn_rebates(session: AsyncSession, received: Sequence[Received[InvoicePaidV1]]) -> None:
    """Invoices were paid: what did that earn, and was it what was deducted."""
    at = received[0].now
    told = await settle_payments(session, [each.event for each in received], at=at)
    await compare_deductions(session, told, at=at)


@handlers.on_many(PaymentReturnedV1)
async def reverse_rebates(session: AsyncSession, received: Sequence[Received[PaymentReturnedV1]]) -> None:
    """Payments came back: so does what they earned."""
    at = received[0].now
    told = await reverse_payments(session, [each.event for each in received], at=at)
    await compare_deductions(session, told, at=at)


@handlers.on_many(InvoiceCancelledV1)
async def withdraw_expectations(session: AsyncSession, received: Sequence[Received[InvoiceCancelledV1]]) -> None:
    """Invoices will not be paid: nothing is expected of them."""
    await withdraw_rebates(session, [each.event for each in received], at=received[0].now)


def _actor(event: Event) -> Actor:
    """Who did it, as the event says: their subject id, never a name."""
    return Actor(subject=event.by, name=event.by)
