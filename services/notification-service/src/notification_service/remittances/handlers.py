"""What payments and rebates make us write to suppliers."""

from __future__ import annotations

from collections.abc import Sequence

from council_common.contracts.invoices import InvoicePaidV1, PaymentReturnedV1
from council_common.contracts.rebates import RebateEarnedV1, RebateMissedV1, UnagreedDeductionFoundV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.remittances.rules import EARNED_NOTHING, NO_AGREEMENT, earned_facts
from notification_service.remittances.usecases import note_payments, note_rebates, withdraw_advices

handlers = Handlers()


@handlers.on_many(InvoicePaidV1)
async def advise_of_payments(session: AsyncSession, received: Sequence[Received[InvoicePaidV1]]) -> None:
    await note_payments(session, [paid.event for paid in received], at=received[0].now)


@handlers.on_many(RebateEarnedV1)
async def show_earned_rebates(session: AsyncSession, received: Sequence[Received[RebateEarnedV1]]) -> None:
    rebates = [(earned.event.payment_id, earned_facts(earned.event)) for earned in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(RebateMissedV1)
async def show_missed_rebates(session: AsyncSession, received: Sequence[Received[RebateMissedV1]]) -> None:
    rebates = [(missed.event.payment_id, EARNED_NOTHING) for missed in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(UnagreedDeductionFoundV1)
async def show_unagreed_deductions(
    session: AsyncSession, received: Sequence[Received[UnagreedDeductionFoundV1]]
) -> None:
    rebates = [(found.event.payment_id, NO_AGREEMENT) for found in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(PaymentReturnedV1)
async def withdraw_remittances(session: AsyncSession, received: Sequence[Received[PaymentReturnedV1]]) -> None:
    await withdraw_advices(session, [returned.event.payment_id for returned in received], at=received[0].now)
