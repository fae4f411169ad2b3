"""Every query of the room: a batch of events in one statement each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.remittances.rules import RemittanceStatus
from notification_service.remittances.tables import PaymentRebate, Remittance

_ADD_PAYMENTS = text(
    """
    INSERT INTO remittance (payment_id, invoice_id, supplier_id, reference, facts, waits_for_rebate, status,
                            received_at)
    SELECT payment_id, invoice_id, supplier_id, reference, facts, waits_for_rebate, 'waiting', :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS paid(
        payment_id uuid, invoice_id uuid, supplier_id uuid, reference text, facts jsonb, waits_for_rebate boolean)
    ON CONFLICT (payment_id) DO NOTHING
    """
)

_CLASHES = text(
    """
    SELECT count(*) FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS paid(payment_id uuid, invoice_id uuid)
    JOIN remittance ON remittance.payment_id = paid.payment_id AND remittance.invoice_id <> paid.invoice_id
    """
)

_ADD_REBATES = text(
    """
    INSERT INTO payment_rebate (payment_id, facts, received_at)
    SELECT payment_id, facts, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS rebate(payment_id uuid, facts jsonb)
    ON CONFLICT (payment_id) DO NOTHING
    """
)

_READY = """
    SELECT remittance.payment_id, remittance.supplier_id, remittance.reference, remittance.facts,
           payment_rebate.facts AS rebate
    FROM remittance LEFT JOIN payment_rebate ON payment_rebate.payment_id = remittance.payment_id
    WHERE remittance.status = 'waiting' AND {which}
    ORDER BY remittance.received_at, remittance.payment_id
    LIMIT :limit FOR UPDATE OF remittance
"""

_READY_OF = text(
    _READY.format(
        which="""remittance.payment_id = ANY(:ids)
        AND (NOT remittance.waits_for_rebate OR payment_rebate.payment_id IS NOT NULL)"""
    )
)

# A payment and its rebate handled at the same moment by two workers do not see each other: the first case.
_LATE = text(_READY.format(which="(payment_rebate.payment_id IS NOT NULL OR remittance.received_at <= :waited_since)"))


async def add_payments(session: AsyncSession, rows: Sequence[dict[str, Any]], *, at: datetime) -> bool:
    """Keep payments; one that is there already stays. False when a payment is there with another invoice."""
    given = json.dumps(rows, default=str)
    await session.execute(_ADD_PAYMENTS, {"rows": given, "at": at})
    return not (await session.execute(_CLASHES, {"rows": given})).scalar_one()


async def add_rebates(session: AsyncSession, rows: Sequence[dict[str, Any]], *, at: datetime) -> None:
    """Keep rebates; one that is there already stays."""
    await session.execute(_ADD_REBATES, {"rows": json.dumps(rows, default=str), "at": at})


async def ready_of(session: AsyncSession, payment_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Which of these payments can be told to their suppliers now, locked."""
    return (await session.execute(_READY_OF, {"ids": list(payment_ids), "limit": len(payment_ids)})).all()


async def late(session: AsyncSession, *, waited_since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Payments that have waited for their rebate long enough, or whose rebate is there, locked."""
    return (await session.execute(_LATE, {"waited_since": waited_since, "limit": limit})).all()


async def mark_written(session: AsyncSession, payment_ids: Sequence[UUID]) -> None:
    """These have become messages."""
    which = col(Remittance.payment_id).in_(payment_ids)
    await session.execute(update(Remittance).where(which).values(status=RemittanceStatus.WRITTEN.value))


async def cancel_waiting(session: AsyncSession, payment_ids: Sequence[UUID]) -> None:
    """These are not to become messages any more."""
    waiting = col(Remittance.status) == RemittanceStatus.WAITING.value
    which = col(Remittance.payment_id).in_(payment_ids) & waiting
    await session.execute(update(Remittance).where(which).values(status=RemittanceStatus.CANCELLED.value))


async def forget_rebates(session: AsyncSession, *, before: datetime) -> None:
    """Rebates are facts of rebate-service: a copy is kept only while a payment may still need it."""
    await session.execute(delete(PaymentRebate).where(col(PaymentRebate.received_at) < before))
