"""Another service's fact, and what we do: notification-service says what became of our notices."""

from collections.abc import Sequence

from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.dunning_runs.rules import DeliveryStatus
from debt_service.dunning_runs.usecases import note_delivery

handlers = Handlers()


@handlers.on_many(MessageSentV1)
async def note_sent(session: AsyncSession, received: Sequence[Received[MessageSentV1]]) -> None:
    await note_delivery(session, DeliveryStatus.SENT, received)


@handlers.on_many(MessageDeliveredV1)
async def note_delivered(session: AsyncSession, received: Sequence[Received[MessageDeliveredV1]]) -> None:
    await note_delivery(session, DeliveryStatus.DELIVERED, received)


@handlers.on_many(MessageFailedV1)
async def note_failed(session: AsyncSession, received: Sequence[Received[MessageFailedV1]]) -> None:
    await note_delivery(session, DeliveryStatus.FAILED, received)
