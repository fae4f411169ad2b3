"""Another service's fact, and what we do: write to somebody, or not any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.contracts.debts import (
    DunningNoticeIssuedV1,
    HoldPlacedV1,
    ReceiptAllocatedV1,
    ReceivableCancelledV1,
    ReceivableSettledV1,
)
from council_common.contracts.invoices import InvoicePaidV1, PaymentReturnedV1
from council_common.contracts.rebates import RebateEarnedV1, RebateMissedV1, UnagreedDeductionFoundV1
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import Channel
from notification_service.messages.rules import ABOUT_BANK_ACCOUNT_CHANGE, ABOUT_DUNNING_NOTICE, NewMessage
from notification_service.messages.usecases import withdraw_notices, write_messages
from notification_service.recipients.rules import BANK_ACCOUNT_CHANGE_WARNING, RecipientKind
from notification_service.remittances.rules import EARNED_NOTHING, NO_AGREEMENT, earned_facts
from notification_service.remittances.usecases import note_payments, note_rebates, withdraw_advices

handlers = Handlers()


@handlers.on_many(InvoicePaidV1)
async def advise_of_payments(session: AsyncSession, received: Sequence[Received[InvoicePaidV1]]) -> None:
    await note_payments(session, [each.event for each in received], at=received[0].now)


@handlers.on_many(RebateEarnedV1)
async def show_earned_rebates(session: AsyncSession, received: Sequence[Received[RebateEarnedV1]]) -> None:
    rebates = [(each.event.payment_id, earned_facts(each.event)) for each in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(RebateMissedV1)
async def show_missed_rebates(session: AsyncSession, received: Sequence[Received[RebateMissedV1]]) -> None:
    rebates = [(each.event.payment_id, EARNED_NOTHING) for each in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(UnagreedDeductionFoundV1)
async def show_unagreed_deductions(
    session: AsyncSession, received: Sequence[Received[UnagreedDeductionFoundV1]]
) -> None:
    rebates = [(each.event.payment_id, NO_AGREEMENT) for each in received]
    await note_rebates(session, rebates, at=received[0].now)


@handlers.on_many(PaymentReturnedV1)
async def withdraw_remittances(session: AsyncSession, received: Sequence[Received[PaymentReturnedV1]]) -> None:
    await withdraw_advices(session, [each.event.payment_id for each in received], at=received[0].now)


@handlers.on_many(DunningNoticeIssuedV1)
async def send_dunning_notices(session: AsyncSession, received: Sequence[Received[DunningNoticeIssuedV1]]) -> None:
    messages = [_dunning_message(each.event) for each in received]
    await write_messages(session, messages, at=received[0].now)


@handlers.on_many(HoldPlacedV1)
async def withhold_dunning_notices(session: AsyncSession, received: Sequence[Received[HoldPlacedV1]]) -> None:
    # A hold (breathing space above all: SI 2020/1311 reg 7) stops the letter that was issued and has not left.
    await _withdraw_notices(session, received, code="on_hold")


@handlers.on_many(ReceiptAllocatedV1)
async def withdraw_notices_of_part_paid_debts(
    session: AsyncSession, received: Sequence[Received[ReceiptAllocatedV1]]
) -> None:
    # The sum in the letter is owed no more: the next run writes the right one (receivables.md §1.5 D2, D4).
    await _withdraw_notices(session, received, code="balance_changed")


@handlers.on_many(ReceivableSettledV1)
async def withdraw_notices_of_paid_debts(
    session: AsyncSession, received: Sequence[Received[ReceivableSettledV1]]
) -> None:
    await _withdraw_notices(session, received, code="settled")


@handlers.on_many(ReceivableCancelledV1)
async def withdraw_notices_of_cancelled_debts(
    session: AsyncSession, received: Sequence[Received[ReceivableCancelledV1]]
) -> None:
    await _withdraw_notices(session, received, code="receivable_cancelled")


@handlers.on_many(BankAccountChangeRequestedV1)
async def warn_old_contacts(session: AsyncSession, received: Sequence[Received[BankAccountChangeRequestedV1]]) -> None:
    messages = [_warning(each.event) for each in received]
    await write_messages(session, messages, at=received[0].now)


async def _withdraw_notices(session: AsyncSession, received: Sequence[Received[Any]], *, code: str) -> None:
    """Withdraw the unsent notices about the receivables that events tell of."""
    await withdraw_notices(session, [each.event.receivable_id for each in received], code=code, at=received[0].now)


def _dunning_message(notice: DunningNoticeIssuedV1) -> NewMessage:
    return NewMessage(
        template=notice.template,
        channel=notice.channel,
        recipient_kind=RecipientKind.CUSTOMER,
        recipient_id=notice.customer_id,
        about_kind=ABOUT_DUNNING_NOTICE,
        about_id=notice.notice_id,
        values={
            "receivable_id": str(notice.receivable_id),
            "number": notice.number,
            "level": notice.level,
            "issued_on": notice.issued_on.isoformat(),
            "due_on": notice.due_on.isoformat(),
            "outstanding_pence": notice.outstanding_pence,
            "days_overdue": notice.days_overdue,
        },
        reference=notice.number,
    )


def _warning(change: BankAccountChangeRequestedV1) -> NewMessage:
    return NewMessage(
        template=BANK_ACCOUNT_CHANGE_WARNING,
        channel=Channel.EMAIL.value,
        recipient_kind=RecipientKind.SUPPLIER,
        recipient_id=change.supplier_id,
        about_kind=ABOUT_BANK_ACCOUNT_CHANGE,
        about_id=change.change_id,
        values={"requested_on": change.requested_on.isoformat()},
    )
