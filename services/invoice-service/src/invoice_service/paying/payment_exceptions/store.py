"""The statements on payment exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from council_common.database.rows import columns_of, locked_row
from council_common.database.sessions import fetch_all, fetch_row
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions.rules import ExceptionKind
from invoice_service.paying.payment_exceptions.tables import PaymentException

_LOCK_OPEN = f"""
SELECT {columns_of(PaymentException, "e")} FROM payment_exception e
WHERE payment_id = $1 AND status = 'open' AND ($2::text IS NULL OR kind = $2) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_OF_KIND = f"""
SELECT {columns_of(PaymentException, "e")} FROM payment_exception e
WHERE payment_id = $1 AND kind = $2 FOR NO KEY UPDATE
"""


async def lock_of_kind(session: AsyncSession, payment_id: UUID, kind: ExceptionKind) -> PaymentException | None:
    """The exception of one kind found in a payment, open or resolved; lock its invoice first."""
    row = await fetch_row(session, _LOCK_OF_KIND, payment_id, kind)
    return None if row is None else locked_row(session, PaymentException, row)


_UNCHARGED = "SELECT id FROM payment_exception WHERE id = ANY($1::uuid[]) AND receivable_id IS NULL"
_SOURCE = "SELECT source_system, source_reference FROM supplier WHERE supplier_id = $1 AND source_system IS NOT NULL"


async def uncharged(session: AsyncSession, exception_ids: Sequence[UUID]) -> list[UUID]:
    """Those of some exceptions that show no receivable yet."""
    return [row["id"] for row in await fetch_all(session, _UNCHARGED, exception_ids)]


async def source_of_supplier(session: AsyncSession, supplier_id: UUID) -> tuple[str, str] | None:
    """The system and reference a supplier is known by at its source; None where that has not reached us."""
    rows = await fetch_all(session, _SOURCE, supplier_id)
    return (rows[0]["source_system"], rows[0]["source_reference"]) if rows else None


async def lock_open(
    session: AsyncSession, payment_id: UUID, *, kind: ExceptionKind | None = None
) -> Sequence[PaymentException]:
    """The open exceptions of a payment, of one kind where it is named; lock its invoice first."""
    rows: Sequence[Any] = await fetch_all(session, _LOCK_OPEN, payment_id, kind)
    return [locked_row(session, PaymentException, row) for row in rows]
