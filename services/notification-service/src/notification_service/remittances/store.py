"""The statements on remittances: a batch of events in one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from sqlalchemy import ColumnElement, Row, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.remittances.rules import RemittanceStatus
from notification_service.remittances.tables import PaymentRebate, Remittance

_ADD_PAYMENTS = """
    INSERT INTO remittance (payment_id, invoice_id, supplier_id, reference, facts, waits_for_rebate, status,
                            received_at)
    SELECT payment_id, invoice_id, supplier_id, reference, facts, waits_for_rebate, 'waiting', $2
    FROM jsonb_to_recordset($1::jsonb) AS paid(
        payment_id uuid, invoice_id uuid, supplier_id uuid, reference text, facts jsonb, waits_for_rebate boolean)
    ON CONFLICT (payment_id) DO NOTHING
"""

_PAYMENTS_OF_TWO_INVOICES = """
    SELECT count(*) FROM jsonb_to_recordset($1::jsonb) AS paid(payment_id uuid, invoice_id uuid)
    JOIN remittance ON remittance.payment_id = paid.payment_id AND remittance.invoice_id <> paid.invoice_id
"""

_ADD_REBATES = """
    INSERT INTO payment_rebate (payment_id, facts, received_at)
    SELECT payment_id, facts, $2
    FROM jsonb_to_recordset($1::jsonb) AS rebate(payment_id uuid, facts jsonb)
    ON CONFLICT (payment_id) DO NOTHING
"""


async def add_payments(session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> bool:
    """Keep payments; one that is there already stays. False when a payment is there with another invoice."""
    connection = await driver(session)
    payments = json.dumps(rows, default=str)
    await connection.execute(_ADD_PAYMENTS, payments, at)
    return not await connection.fetchval(_PAYMENTS_OF_TWO_INVOICES, payments)


async def add_rebates(session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
    """Keep rebates; one that is there already stays."""
    await (await driver(session)).execute(_ADD_REBATES, json.dumps(rows, default=str), at)


async def ready_of(session: AsyncSession, payment_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Which of these payments can be advised to their suppliers now, locked."""
    these = col(Remittance.payment_id).in_(payment_ids)
    complete = or_(~col(Remittance.waits_for_rebate), _has_rebate())
    return await _waiting(session, these & complete, limit=len(payment_ids))


async def late(session: AsyncSession, *, waited_since: datetime, limit: int) -> Sequence[Row[Any]]:
    """Payments that have waited for their rebate long enough, or whose rebate is there, locked.

    A payment and its rebate handled at the same moment by two workers do not see each other: the second case.
    """
    return await _waiting(session, or_(_has_rebate(), col(Remittance.received_at) <= waited_since), limit=limit)


def _has_rebate() -> ColumnElement[bool]:
    return col(PaymentRebate.payment_id).is_not(None)


async def _waiting(session: AsyncSession, which: ColumnElement[bool], *, limit: int) -> Sequence[Row[Any]]:
    statement = (
        select(
            col(Remittance.payment_id),
            col(Remittance.invoice_id),
            col(Remittance.supplier_id),
            col(Remittance.reference),
            col(Remittance.facts),
            col(PaymentRebate.facts).label("rebate"),
        )
        .outerjoin(PaymentRebate, col(PaymentRebate.payment_id) == col(Remittance.payment_id))
        .where(col(Remittance.status) == RemittanceStatus.WAITING, which)
        .order_by(col(Remittance.received_at), col(Remittance.payment_id))
        .limit(limit)
        .with_for_update(of=Remittance)
    )
    return (await session.execute(statement)).all()


async def mark_written(session: AsyncSession, payment_ids: Sequence[UUID]) -> None:
    """These have become messages."""
    which = col(Remittance.payment_id).in_(payment_ids)
    await session.execute(update(Remittance).where(which).values(status=RemittanceStatus.WRITTEN))


async def cancel_waiting(session: AsyncSession, payment_ids: Sequence[UUID]) -> None:
    """These are not to become messages any more."""
    waiting = col(Remittance.status) == RemittanceStatus.WAITING
    which = col(Remittance.payment_id).in_(payment_ids) & waiting
    await session.execute(update(Remittance).where(which).values(status=RemittanceStatus.CANCELLED))


async def forget_rebates(session: AsyncSession, *, before: datetime) -> None:
    """Rebates are facts of rebate-service: a copy is kept only while a payment may still need it."""
    await session.execute(delete(PaymentRebate).where(col(PaymentRebate.received_at) < before))
