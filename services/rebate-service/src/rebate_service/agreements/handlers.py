"""A supplier's decision about early payment: its agreement is made, changed or ended."""

from __future__ import annotations

from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.events.contract import Event
from council_common.events.handlers import Handlers, Received
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import Terms
from rebate_service.agreements.usecases import agree_terms, decline_agreement

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
    """A supplier declined or left the programme: its agreement ends."""
    declined = received.event
    await decline_agreement(
        session,
        declined.supplier_id,
        declined_on=declined.declined_on,
        reason=declined.reason,
        by=_actor(declined),
        at=received.now,
    )


def _actor(event: Event) -> Actor:
    """Who decided, as the event has it: the subject id, never a name."""
    return Actor(subject=event.by, name=event.by)
