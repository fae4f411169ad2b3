"""What notification-service reports of our notices, and what we do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from council_common.contracts.notifications import (
    AddressConfirmedV1,
    MessageDeliveredV1,
    MessageFailedV1,
    MessageSentV1,
)
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.recovery.dunning_runs.rules import DeliveryStatus
from debt_service.recovery.dunning_runs.usecases import lock_debts_of_notices, note_confirmed_addresses, note_delivery

handlers = Handlers()


@handlers.before(MessageSentV1, MessageDeliveredV1, MessageFailedV1)
async def lock_noticed_debts(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
    """Lock the debts of a whole batch at once, in the order of their ids.

    Locked group after group they would be locked in no order at all: a bank file or a hold, which locks in the order
    of ids, and the batch would wait for one another.
    """
    await lock_debts_of_notices(session, received)


@handlers.on_many(MessageSentV1)
async def note_sent(session: AsyncSession, received: Sequence[Received[MessageSentV1]]) -> None:
    """Notices left."""
    await note_delivery(session, DeliveryStatus.SENT, received)


@handlers.on_many(MessageDeliveredV1)
async def note_delivered(session: AsyncSession, received: Sequence[Received[MessageDeliveredV1]]) -> None:
    """Notices arrived."""
    await note_delivery(session, DeliveryStatus.DELIVERED, received)


@handlers.on_many(MessageFailedV1)
async def note_failed(session: AsyncSession, received: Sequence[Received[MessageFailedV1]]) -> None:
    """Notices failed; those that had not left are no step on the ladder."""
    await note_delivery(session, DeliveryStatus.FAILED, received)


@handlers.on_many(AddressConfirmedV1)
async def note_confirmed(session: AsyncSession, received: Sequence[Received[AddressConfirmedV1]]) -> None:
    """Addresses that had failed work again: their customers' debts are deliverable."""
    await note_confirmed_addresses(session, received)
