"""Join payments with their rebates, whichever comes first, and write to the suppliers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.contracts.invoices import InvoicePaidV1
from council_common.runtime.service_runtime import Runtime
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import Channel
from notification_service.messages.purposes import Purpose
from notification_service.messages.rules import ABOUT_PAYMENT, NewMessage
from notification_service.messages.sending import withdraw_messages
from notification_service.messages.usecases import write_messages
from notification_service.recipients.rules import RecipientKind
from notification_service.remittances import store
from notification_service.remittances.rules import (
    KEEPS_REBATES,
    REMITTANCE_ADVICE,
    WAITS_FOR_REBATE,
    PaymentOfTwoInvoices,
    advice_values,
    payment_facts,
)

BATCH = 1000


async def note_payments(session: AsyncSession, payments: Sequence[InvoicePaidV1], *, at: datetime) -> None:
    """Advise suppliers of payments: at once, or with the rebate when one was deducted.

    Raises PaymentOfTwoInvoices.
    """
    rows = [
        {
            "payment_id": paid.payment_id,
            "invoice_id": paid.invoice_id,
            "supplier_id": paid.supplier_id,
            "reference": paid.number,
            "facts": payment_facts(paid),
            "waits_for_rebate": paid.deducted_pence > 0,
        }
        for paid in payments
    ]
    if not rows:
        return
    if not await store.add_payments(session, rows, at=at):
        raise PaymentOfTwoInvoices("a payment came with two invoices")
    await _write_ready(session, [paid.payment_id for paid in payments], at=at)


async def note_rebates(session: AsyncSession, rebates: Sequence[tuple[UUID, dict[str, Any]]], *, at: datetime) -> None:
    """Keep what is known of the rebates of payments, and write the advices that waited for it."""
    rows = [{"payment_id": payment_id, "facts": facts} for payment_id, facts in rebates]
    await store.add_rebates(session, rows, at=at)
    await _write_ready(session, [payment_id for payment_id, _ in rebates], at=at)


async def withdraw_advices(session: AsyncSession, payment_ids: Sequence[UUID], *, at: datetime) -> None:
    """Payments came back: advices that have not left do not leave."""
    await store.cancel_waiting(session, payment_ids)
    await withdraw_messages(session, ABOUT_PAYMENT, payment_ids, code="payment_returned", at=at)


async def release_remittances(runtime: Runtime) -> bool:
    """Write advices whose rebate did not come in time, without its arithmetic. The job of that name."""
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        rows = await store.late(session, waited_since=now - WAITS_FOR_REBATE, limit=BATCH)
        await _write(session, rows, at=now)
        await store.forget_rebates(session, before=now - KEEPS_REBATES)
    return len(rows) == BATCH


async def _write_ready(session: AsyncSession, payment_ids: Sequence[UUID], *, at: datetime) -> None:
    await _write(session, await store.ready_of(session, payment_ids), at=at)


async def _write(session: AsyncSession, rows: Sequence[Row[Any]], *, at: datetime) -> None:
    if not rows:
        return
    messages = [
        NewMessage(
            template=REMITTANCE_ADVICE,
            channel=Channel.EMAIL.value,
            recipient_kind=RecipientKind.SUPPLIER,
            recipient_id=row.supplier_id,
            about_kind=ABOUT_PAYMENT,
            about_id=row.payment_id,
            purpose=Purpose.INFORM,
            values=advice_values(row.facts, row.rebate),
            reference=row.reference,
            caused_by=row.invoice_id,
        )
        for row in rows
    ]
    await write_messages(session, messages, at=at)
    await store.mark_written(session, [row.payment_id for row in rows])
