"""Recording many payments in one request: the rules of one, a few statements for all, a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import DeadlockDetectedError, UniqueViolationError
from council_common.clock import london_date
from council_common.errors import BusinessError, NotFound, Unavailable
from council_common.identity.actor import Actor
from council_common.pause import in_turns
from council_common.recording import Change, change_of, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions.tables import PaymentException
from invoice_service.paying.payments.bulk_store import Payables, add_payments, lock_payables, made_payment
from invoice_service.paying.payments.rules import NewPayment
from invoice_service.paying.payments.store import Payable
from invoice_service.paying.payments.tables import Payment
from invoice_service.paying.payments.usecases import checked, paid, same_payment
from invoice_service.register.invoices.bulk_store import store_changed
from invoice_service.register.invoices.tables import Invoice

_RACES = 5


class _Decided(NamedTuple):
    """What became of the payments of a request, and what is to be stored for it."""

    outcomes: list[Outcome]
    invoices: list[Invoice]
    payments: list[Payment]
    exceptions: list[PaymentException]
    changes: list[Change]


async def record_payments(
    session: AsyncSession, news: Sequence[tuple[int, NewPayment]], *, by: Actor, at: datetime
) -> list[Outcome]:
    """Record what the paying system did, in the order sent; `news` has the index of each. Raises Unavailable."""
    outcomes: list[Outcome] = []
    sound: list[tuple[int, NewPayment]] = []
    for index, new in news:
        try:
            sound.append((index, checked(new, today=london_date(at))))
        except BusinessError as refusal:
            outcomes.append(refused(index, refusal))
    for _ in range(_RACES):
        asked = list(dict.fromkeys((new.invoice_id, new.remitted_on) for _, new in sound))
        sources = [(new.source_system, new.source_reference) for _, new in sound]
        decided = await _decide(await lock_payables(session, asked, sources), sound, by=by, at=at)
        try:
            async with session.begin_nested():
                await store_changed(session, decided.invoices)
                await add_payments(session, decided.payments, decided.exceptions)
                await record_many(session, decided.changes, by=by, at=at)
        except (UniqueViolationError, DeadlockDetectedError):
            # A source was taken for another invoice a moment ago, so that no lock was any help: look again.
            continue
        return outcomes + decided.outcomes
    raise Unavailable("Other requests are recording these payments at the moment; please try again.")


async def _decide(payables: Payables, news: Sequence[tuple[int, NewPayment]], *, by: Actor, at: datetime) -> _Decided:
    """Each in its order: a later one finds what an earlier one of this request settled."""
    decided = _Decided([], [], [], [], [])
    changed: dict[object, Invoice] = {}
    async for index, new in in_turns(news):
        source = new.source_system, new.source_reference
        try:
            invoice = payables.invoices.get(new.invoice_id)
            if invoice is None:
                raise NotFound.of("invoice")
            if (known := payables.by_source.get(source)) is not None:
                decided.outcomes.append(Outcome(index, "existing", same_payment(known, new).id))
                continue
        except BusinessError as refusal:
            decided.outcomes.append(refused(index, refusal))
            continue
        others = payables.payments[invoice.id]
        holds = payables.holds_on(invoice.id, new.remitted_on)
        payable = Payable(invoice, others, *holds, payables.credits.get(invoice.id, ()))
        payment, facts = paid(payable, new, make=made_payment, by=by, at=at)
        decided.changes.extend([change_of(happened, by=by, at=at) for happened in facts])
        decided.exceptions.extend([one.row for one in facts if isinstance(one.row, PaymentException)])
        decided.payments.append(payment)
        others.append(payment)
        payables.by_source[source] = payment
        changed[invoice.id] = invoice
        decided.outcomes.append(Outcome(index, "created", payment.id))
    decided.invoices.extend(changed.values())
    return decided
