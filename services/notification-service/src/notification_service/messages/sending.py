"""Take messages to be sent, record what became of them, and end those that must not leave any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from council_common.identity.actor import SYSTEM
from council_common.recording import record_many
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.messages import changes, store, withdrawn_store
from notification_service.messages.rules import AttemptResult
from notification_service.messages.tables import Message


async def claim_messages(
    session: AsyncSession, *, at: datetime, lease_until: datetime, limit: int, longest_waiting: bool = False
) -> list[Message]:
    """Take messages that are due, oldest first, or that first which has waited for our own side most often."""
    claimed = await store.claim(session, at=at, lease_until=lease_until, limit=limit, longest_waiting=longest_waiting)
    await record_many(session, map(changes.claimed, claimed), by=SYSTEM, at=at)
    return claimed


async def copy_messages(session: AsyncSession, copies: Sequence[tuple[UUID, int, str]], *, at: datetime) -> None:
    """The same message to other addresses of its recipient: (message, number of the copy, address)."""
    if copies:
        made = await store.insert_copies(session, copies, at=at)
        await record_many(session, (changes.written(message_id) for message_id in made), by=SYSTEM, at=at)


async def record_results(session: AsyncSession, results: Sequence[AttemptResult], *, at: datetime) -> None:
    """Record how attempts ended; a withdrawn message that did not get through is cancelled with them."""
    if not results:
        return
    recorded = await store.finish(session, results)
    ended = [change for result, message in recorded for change in changes.attempted(result, message)]
    await record_many(session, ended, by=SYSTEM, at=at)
    await end_withdrawn(session, at=at)


async def withdraw_messages(
    session: AsyncSession, about_kind: str, about_ids: Sequence[UUID], *, code: str, at: datetime
) -> None:
    """What was written about some things does not leave any more, for this reason.

    Queued messages are cancelled at once. One whose attempt is under way may still get through; if it does not, it
    is cancelled then instead of being tried again. Failed ones cannot be sent again.
    """
    cancelled = await withdrawn_store.withdraw_about(session, about_kind, about_ids, code=code)
    await _record_cancelled(session, cancelled, at=at)


async def withdraw_about_debts(
    session: AsyncSession, receivable_ids: Sequence[UUID], *, code: str, says_balance: bool, at: datetime
) -> None:
    """The same for whatever enforces some debts, for a notice or by hand; and, where their balance has changed, for
    all that says what is owed (`says_balance`)."""
    cancelled = await withdrawn_store.withdraw_about_debts(
        session, receivable_ids, code=code, says_balance=says_balance
    )
    await _record_cancelled(session, cancelled, at=at)


async def end_withdrawn(session: AsyncSession, *, at: datetime) -> None:
    """Cancel withdrawn messages whose attempt did not get through, or was cut off and its lease is over."""
    await _record_cancelled(session, await withdrawn_store.end_withdrawn(session, at=at), at=at)


async def _record_cancelled(session: AsyncSession, messages: Iterable[Message], *, at: datetime) -> None:
    cancelled = [changes.cancelled(message) for message in messages]
    await record_many(session, cancelled, by=SYSTEM, at=at)
