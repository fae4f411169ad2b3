"""What must not leave any more: the statements that withdraw and end messages.

A statement that changes several messages locks them in the order of their ids: a sender and a handler meet on the
same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.messages.purposes import ENFORCING
from notification_service.messages.rules import MessageStatus
from notification_service.messages.stops import BALANCE
from notification_service.messages.store import CUT_OFF, MESSAGE, fetch_messages
from notification_service.messages.tables import Message

_WITHDRAW = f"""
    WITH found AS (
        SELECT id AS found_id FROM message
        WHERE {{which}} AND status IN ('queued', 'sending', 'failed') AND withdrawn_code IS NULL
        ORDER BY id FOR UPDATE
    )
    UPDATE message SET withdrawn_code = $1,
        status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END,
        code = CASE status WHEN 'queued' THEN $1 ELSE code END,
        version = version + CASE status WHEN 'queued' THEN 1 ELSE 0 END
    FROM found WHERE id = found_id
    RETURNING {MESSAGE}
"""
_WITHDRAW_ABOUT = _WITHDRAW.format(which="about_kind = $2 AND about_id = ANY($3::uuid[])")
_WITHDRAW_ABOUT_DEBTS = _WITHDRAW.format(
    which=f"receivable_id = ANY($2::uuid[]) AND (purpose = ANY($3::text[]) OR ($4 AND facts ? '{BALANCE}'))"
)

_END_WITHDRAWN = f"""
    WITH found AS (
        SELECT id AS found_id FROM message
        WHERE withdrawn_code IS NOT NULL AND (status = 'queued' OR (status = 'sending' AND due_at <= $1))
        ORDER BY id FOR UPDATE
    )
    UPDATE message SET status = 'cancelled', code = withdrawn_code, version = version + 1, may_have_left = {CUT_OFF}
    FROM found WHERE id = found_id
    RETURNING {MESSAGE}
"""


async def withdraw_about(
    session: AsyncSession, about_kind: str, about_ids: Sequence[UUID], *, code: str
) -> list[Message]:
    """What was written about some things must not leave any more; the messages cancelled by it."""
    return _cancelled(await fetch_messages(session, _WITHDRAW_ABOUT, code, about_kind, list(about_ids)))


async def withdraw_about_debts(
    session: AsyncSession, receivable_ids: Sequence[UUID], *, code: str, says_balance: bool
) -> list[Message]:
    """The same for whatever enforces some debts, for a notice or by hand; and for all that says what is owed."""
    ids, purposes = list(receivable_ids), [purpose.value for purpose in ENFORCING]
    return _cancelled(await fetch_messages(session, _WITHDRAW_ABOUT_DEBTS, code, ids, purposes, says_balance))


async def end_withdrawn(session: AsyncSession, *, at: datetime) -> list[Message]:
    """Cancel withdrawn messages that are not under way (any more); those cancelled."""
    return await fetch_messages(session, _END_WITHDRAWN, at)


def _cancelled(messages: Sequence[Message]) -> list[Message]:
    return [message for message in messages if message.status is MessageStatus.CANCELLED]
