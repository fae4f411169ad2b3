"""What becomes of money to recover when debt-service has charged it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from council_common.contracts.debts import ReceivableRaisedV1
from council_common.events.handlers import Handlers, Received
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions.charging import CHARGED_AS, note_charges

handlers = Handlers()


@handlers.on_many(ReceivableRaisedV1)
async def show_the_charge(session: AsyncSession, received: Sequence[Received[ReceivableRaisedV1]]) -> None:
    """Receivables were raised: those of our exceptions are shown there; all others are none of ours."""
    ours = [one.event for one in received if one.event.source.system == CHARGED_AS]
    charges = {UUID(event.source.reference): event.receivable_id for event in ours}
    if charges:
        await note_charges(session, charges, by=Actor(ours[0].by, "debt-service"), at=received[0].now)
