"""Another service's fact, and what we do: notification-service says what became of our notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.recovery.dunning_runs.rules import DeliveryStatus
from debt_service.recovery.dunning_runs.usecases import lock_debts_of_notices, note_delivery


class _NoticeHandlers(Handlers):
    """Handlers that lock the debts of a batch at once, in the order of their ids, before the first of its groups.

    Group after group would lock them in no order at all, and a bank file or a hold that locks them in theirs would
    wait for the batch in a ring.
    """

    async def handle(self, session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        await lock_debts_of_notices(session, received)
        await super().handle(session, received)


handlers = _NoticeHandlers()


@handlers.on_many(MessageSentV1)
async def note_sent(session: AsyncSession, received: Sequence[Received[MessageSentV1]]) -> None:
    await note_delivery(session, DeliveryStatus.SENT, received)


@handlers.on_many(MessageDeliveredV1)
async def note_delivered(session: AsyncSession, received: Sequence[Received[MessageDeliveredV1]]) -> None:
    await note_delivery(session, DeliveryStatus.DELIVERED, received)


@handlers.on_many(MessageFailedV1)
async def note_failed(session: AsyncSession, received: Sequence[Received[MessageFailedV1]]) -> None:
    await note_delivery(session, DeliveryStatus.FAILED, received)
