"""Money that a supplier has to give back becomes a receivable."""

from __future__ import annotations

from council_common.clock import london_date
from council_common.contracts.invoices import PaymentExceptionResolvedV1
from council_common.events.handlers import Handlers, Received
from council_common.identity.actor import Actor
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.receivables.rules import recovery_of
from debt_service.ledger.receivables.usecases import raise_receivables

handlers = Handlers()


@handlers.on(PaymentExceptionResolvedV1)
async def charge_what_was_overpaid(session: AsyncSession, received: Received[PaymentExceptionResolvedV1]) -> None:
    """A customer is charged with what was paid to it as a supplier and is not its own; once for each exception.

    Raises what raising a receivable raises: the event is tried again and then set aside, never lost.
    """
    event = received.event
    if event.customer_id is None or not event.recover_pence:
        return
    charge = recovery_of(
        event.payment_exception_id,
        customer_id=event.customer_id,
        number=event.number,
        pence=event.recover_pence,
        today=london_date(received.now),
    )
    by = Actor(event.by, "invoice-service")
    [outcome] = await raise_receivables(session, [(0, charge)], by=by, at=received.now)
    outcome.id_or_refusal()
