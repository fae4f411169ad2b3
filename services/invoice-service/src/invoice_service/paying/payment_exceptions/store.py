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


async def lock_open(
    session: AsyncSession, payment_id: UUID, *, kind: ExceptionKind | None = None
) -> Sequence[PaymentException]:
    """The open exceptions of a payment, of one kind where it is named; lock its invoice first."""
    rows: Sequence[Any] = await fetch_all(session, _LOCK_OPEN, payment_id, kind)
    return [locked_row(session, PaymentException, row) for row in rows]
