"""Approving many invoices in one request; each has a verdict of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from council_common.errors import BusinessError, NotFound
from council_common.identity.actor import Actor
from council_common.recording import Change, change_of, record_many
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.bulk_store import lock_invoices, store_changed
from invoice_service.register.invoices.usecases import approved


async def approve_invoices(
    session: AsyncSession, wanted: Sequence[tuple[int, UUID]], *, by: Actor, at: datetime
) -> list[Outcome]:
    """Approve invoices for payment by the rules of one; `wanted` has the index of each in the request."""
    invoices = await lock_invoices(session, (invoice_id for _, invoice_id in wanted))
    outcomes: list[Outcome] = []
    changed, changes = [], list[Change]()
    for index, invoice_id in wanted:
        invoice = invoices.get(invoice_id)
        if invoice is None:
            outcomes.append(refused(index, NotFound.of("invoice")))
            continue
        try:
            facts = approved(invoice, by=by, at=at)
        except BusinessError as refusal:
            outcomes.append(refused(index, refusal))
            continue
        changes += [change_of(happened, by=by, at=at) for happened in facts]
        changed.append(invoice)
        outcomes.append(Outcome(index, "done", invoice_id))
    await store_changed(session, changed)
    await record_many(session, changes, by=by, at=at)
    return outcomes
