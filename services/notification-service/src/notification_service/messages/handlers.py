"""What other services' facts make us write, and what they withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.contracts.debts import (
    AllocationReversedV1,
    DunningNoticeIssuedV1,
    HoldPlacedV1,
    ReceiptAllocatedV1,
    ReceiptReversedV1,
    ReceivableCancelledV1,
    ReceivableCreditedV1,
    ReceivableSettledV1,
)
from council_common.contracts.message_values import VALUES_FILLED, Sender
from council_common.contracts.suppliers import BankAccountChangeRequestedV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import Channel
from notification_service.messages.purposes import Purpose
from notification_service.messages.rules import ABOUT_BANK_ACCOUNT_CHANGE, ABOUT_DUNNING_NOTICE, NewMessage
from notification_service.messages.sending import withdraw_about_debts
from notification_service.messages.usecases import write_messages
from notification_service.recipients.rules import BANK_ACCOUNT_CHANGE_WARNING, RecipientKind

handlers = Handlers()

ON_HOLD = "on_hold"


@handlers.on_many(DunningNoticeIssuedV1)
async def send_dunning_notices(session: AsyncSession, received: Sequence[Received[DunningNoticeIssuedV1]]) -> None:
    messages = [_dunning_message(issued.event) for issued in received]
    await write_messages(session, messages, at=received[0].now)


@handlers.on_many(HoldPlacedV1)
async def withhold_dunning_notices(session: AsyncSession, received: Sequence[Received[HoldPlacedV1]]) -> None:
    # A hold (breathing space above all: SI 2020/1311 reg 7) stops the letter that was issued and has not left.
    await _withdraw(session, received, code=ON_HOLD)


@handlers.on_many(ReceiptAllocatedV1)
@handlers.on_many(ReceivableCreditedV1)
async def withdraw_notices_of_debts_owed_in_part(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
    # The sum in the letter is owed no more (council policy): the next run writes the right one.
    await _withdraw(session, received, code="balance_changed")


@handlers.on_many(AllocationReversedV1)
@handlers.on_many(ReceiptReversedV1)
async def withdraw_notices_of_debts_owed_again(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
    # More is owed than the letter says: the next run writes the right sum.
    await _withdraw(session, received, code="balance_changed")


@handlers.on_many(ReceivableSettledV1)
async def withdraw_notices_of_paid_debts(
    session: AsyncSession, received: Sequence[Received[ReceivableSettledV1]]
) -> None:
    await _withdraw(session, received, code="settled")


@handlers.on_many(ReceivableCancelledV1)
async def withdraw_notices_of_cancelled_debts(
    session: AsyncSession, received: Sequence[Received[ReceivableCancelledV1]]
) -> None:
    await _withdraw(session, received, code="receivable_cancelled")


@handlers.on_many(BankAccountChangeRequestedV1)
async def warn_old_contacts(session: AsyncSession, received: Sequence[Received[BankAccountChangeRequestedV1]]) -> None:
    messages = [_warning(requested.event) for requested in received]
    await write_messages(session, messages, at=received[0].now)


async def _withdraw(session: AsyncSession, received: Sequence[Received[Any]], *, code: str) -> None:
    """Withdraw what was written about the receivables of some events and has not left."""
    receivable_ids = [changed.event.receivable_id for changed in received]
    says_balance = code != ON_HOLD
    await withdraw_about_debts(session, receivable_ids, code=code, says_balance=says_balance, at=received[0].now)


def _dunning_message(notice: DunningNoticeIssuedV1) -> NewMessage:
    return NewMessage(
        template=notice.template,
        channel=notice.channel,
        recipient_kind=RecipientKind.CUSTOMER,
        recipient_id=notice.customer_id,
        about_kind=ABOUT_DUNNING_NOTICE,
        about_id=notice.notice_id,
        purpose=Purpose.ENFORCE_DEBT,
        values=notice.model_dump(mode="json", include=set(VALUES_FILLED[Sender.DUNNING_NOTICE])),
        reference=notice.number,
        receivable_id=notice.receivable_id,
        caused_by=notice.key,
    )


def _warning(change: BankAccountChangeRequestedV1) -> NewMessage:
    return NewMessage(
        template=BANK_ACCOUNT_CHANGE_WARNING,
        channel=Channel.EMAIL.value,
        recipient_kind=RecipientKind.SUPPLIER,
        recipient_id=change.supplier_id,
        about_kind=ABOUT_BANK_ACCOUNT_CHANGE,
        about_id=change.change_id,
        purpose=Purpose.INFORM,
        values={"requested_on": change.requested_on.isoformat()},
        caused_by=change.key,
    )
