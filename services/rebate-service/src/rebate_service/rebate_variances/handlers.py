"""Payments and returned payments: what they earn or take back, and whether that is what was deducted."""

from __future__ import annotations

from collections.abc import Sequence

from council_common.contracts.invoices import (
    CreditNoteApplicationReversedV1,
    CreditNoteAppliedV1,
    InvoicePaidV1,
    PaymentReturnedV1,
)
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebate_variances.usecases import compare_deductions
from rebate_service.rebates.crediting import credit_rebates, owe_credited_again
from rebate_service.rebates.usecases import reverse_payments, settle_payments

handlers = Handlers()


@handlers.on_many(InvoicePaidV1)
async def earn_rebates(session: AsyncSession, received: Sequence[Received[InvoicePaidV1]]) -> None:
    """Invoices were paid: what did that earn, and was it what was deducted."""
    at = received[0].now
    changes = await settle_payments(session, [arrival.event for arrival in received], at=at)
    await compare_deductions(session, changes, at=at)


@handlers.on(CreditNoteAppliedV1)
async def credit_rebate(session: AsyncSession, received: Received[CreditNoteAppliedV1]) -> None:
    """A credit note was set against an invoice: it is worth less, before its payment or after it."""
    changes = await credit_rebates(session, received.event, at=received.now)
    await compare_deductions(session, changes, at=received.now)


@handlers.on(CreditNoteApplicationReversedV1)
async def expect_credited_again(session: AsyncSession, received: Received[CreditNoteApplicationReversedV1]) -> None:
    """A credit note was taken off an invoice again: it is worth more."""
    changes = await owe_credited_again(session, received.event, at=received.now)
    await compare_deductions(session, changes, at=received.now)


@handlers.on_many(PaymentReturnedV1)
async def reverse_rebates(session: AsyncSession, received: Sequence[Received[PaymentReturnedV1]]) -> None:
    """Payments came back: what they earned is taken back."""
    at = received[0].now
    changes = await reverse_payments(session, [arrival.event for arrival in received], at=at)
    await compare_deductions(session, changes, at=at)
