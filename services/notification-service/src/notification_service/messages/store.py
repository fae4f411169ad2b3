"""Every query of the room that changes something: set-based, a batch of messages in one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from sqlalchemy import RowMapping, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.messages.rules import NewMessage, NoSuchMessage, Outcome, Status
from notification_service.messages.tables import Message, MessageEvent, Rendering

_INSERT = text(
    """
    INSERT INTO message (id, version, template, template_version, channel, recipient_kind, recipient_id, about_kind,
                         about_id, reference, facts, status, attempt, failures, rendering, due_at, created_at,
                         created_by)
    SELECT id, 1, template, template_version, channel, recipient_kind, recipient_id, about_kind,
           about_id, reference, "values", 'queued', 0, 0, 0, :at, :at, :by
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new_message(
        id uuid, template text, template_version int, channel text, recipient_kind text, recipient_id uuid,
        about_kind text, about_id uuid, reference text, "values" jsonb)
    ON CONFLICT (about_kind, about_id, template) DO NOTHING
    RETURNING id, about_id
    """
)

_CLAIM = text(
    """
    WITH due AS (
        SELECT id FROM message
        WHERE status IN ('queued', 'sending') AND due_at <= :at
        ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE message SET status = 'sending', attempt = attempt + 1, version = version + 1, due_at = :lease_until
    FROM due WHERE message.id = due.id
    RETURNING message.*
    """
)

_FINISH = text(
    """
    UPDATE message SET status = done.status, code = done.code, version = message.version + done.steps,
                       failures = done.failures, due_at = COALESCE(done.due_at, message.due_at)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS done(
        message_id uuid, attempt int, status text, code text, steps int, failures int, due_at timestamptz)
    WHERE message.id = done.message_id AND message.attempt = done.attempt AND message.status = 'sending'
    RETURNING message.id, version, template, template_version, channel, about_kind, about_id
    """
)

_CANCEL = text(
    """
    UPDATE message SET status = 'cancelled', code = :code, version = version + 1
    WHERE about_kind = :kind AND about_id = ANY(:ids) AND status = 'queued'
    RETURNING id, version, template, template_version, channel, about_kind, about_id, attempt
    """
)

_UNSENT_NOTICES = text(
    """
    SELECT about_id FROM message
    WHERE about_kind = 'dunning_notice' AND status = 'queued' AND facts->>'receivable_id' = ANY(CAST(:ids AS text[]))
    """
)

_POINT = text(
    """
    UPDATE message SET rendering = made.number, body_sha256 = made.body_sha256
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS made(message_id uuid, number int, body_sha256 text)
    WHERE message.id = made.message_id AND message.attempt = made.number
    """
)


def log_entry(
    message_id: UUID,
    *,
    version: int,
    status: Status,
    attempt: int,
    at: datetime,
    by: Actor = SYSTEM,
    code: str | None = None,
    explanation: str | None = None,
) -> dict[str, Any]:
    """One row of `message_event`."""
    return {
        "message_id": message_id,
        "version": version,
        "status": status.value,
        "code": code,
        "explanation": explanation,
        "attempt": attempt,
        "at": at,
        "by": by.subject,
        "by_name": by.name,
    }


async def add_log_entries(session: AsyncSession, entries: Sequence[dict[str, Any]]) -> None:
    if entries:
        await session.execute(insert(MessageEvent), list(entries))


async def insert_messages(
    session: AsyncSession, messages: Iterable[tuple[NewMessage, int]], *, by: Actor, at: datetime
) -> dict[UUID, UUID]:
    """Write messages, each with its template version; those about which there is one already are left out.

    Returns the ids of the new ones by what they are about.
    """
    rows = [{**asdict(new), "template_version": version, "id": new_id()} for new, version in messages]
    parameters = {"rows": json.dumps(rows, default=str), "at": at, "by": by.subject}
    written = (await session.execute(_INSERT, parameters)).all()
    await add_log_entries(
        session, [log_entry(row.id, version=1, status=Status.QUEUED, attempt=0, at=at, by=by) for row in written]
    )
    return {row.about_id: row.id for row in written}


async def claim(session: AsyncSession, *, at: datetime, lease_until: datetime, limit: int) -> list[RowMapping]:
    """Take messages that are due, or whose lease is over, oldest first; no other sender takes them until then."""
    parameters = {"at": at, "lease_until": lease_until, "limit": limit}
    rows = (await session.execute(_CLAIM, parameters)).mappings().all()
    await add_log_entries(
        session,
        [
            log_entry(row["id"], version=row["version"], status=Status.SENDING, attempt=row["attempt"], at=at)
            for row in rows
        ],
    )
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]))


async def finish(session: AsyncSession, outcomes: Sequence[Outcome], *, at: datetime) -> list[tuple[Outcome, Any]]:
    """Record what became of attempts; returns those recorded, each with its message's row.

    An attempt whose lease was over and that another sender has taken up since is not recorded.
    """
    rows = [{**asdict(outcome), "steps": outcome.steps} for outcome in outcomes]
    changed = (await session.execute(_FINISH, {"rows": json.dumps(rows, default=str)})).all()
    by_id = {row.id: row for row in changed}
    recorded = [(outcome, by_id[outcome.message_id]) for outcome in outcomes if outcome.message_id in by_id]
    await add_log_entries(session, [entry for outcome, row in recorded for entry in _entries(outcome, row, at)])
    return recorded


def _entries(outcome: Outcome, row: Any, at: datetime) -> list[dict[str, Any]]:
    last = log_entry(
        row.id,
        version=row.version,
        status=outcome.status,
        attempt=outcome.attempt,
        at=at,
        code=outcome.code,
        explanation=outcome.explanation,
    )
    if outcome.status is not Status.DELIVERED:
        return [last]
    return [
        log_entry(row.id, version=row.version - 1, status=Status.SENT, attempt=outcome.attempt, at=at),
        last,
    ]


async def cancel_queued(
    session: AsyncSession, about_kind: str, about_ids: Sequence[UUID], *, code: str, by: Actor, at: datetime
) -> list[Any]:
    """Cancel what has not left yet; returns the rows of the messages cancelled."""
    parameters = {"kind": about_kind, "ids": list(about_ids), "code": code}
    rows = (await session.execute(_CANCEL, parameters)).all()
    entries = [
        log_entry(row.id, version=row.version, status=Status.CANCELLED, attempt=row.attempt, at=at, by=by, code=code)
        for row in rows
    ]
    await add_log_entries(session, entries)
    return list(rows)


async def unsent_notices(session: AsyncSession, receivable_ids: Sequence[UUID]) -> list[UUID]:
    """The notices about receivables that have not left yet."""
    found = await session.execute(_UNSENT_NOTICES, {"ids": [str(each) for each in receivable_ids]})
    return list(found.scalars())


async def keep_renderings(session: AsyncSession, renderings: Sequence[Rendering]) -> None:
    """Store the words and addresses of messages before they leave, and point the messages at them."""
    if not renderings:
        return
    await session.execute(insert(Rendering), [each.model_dump() for each in renderings])
    pointers = [
        {"message_id": each.message_id, "number": each.number, "body_sha256": each.body_sha256} for each in renderings
    ]
    await session.execute(_POINT, {"rows": json.dumps(pointers, default=str)})


async def renderings_of(session: AsyncSession, wanted: dict[UUID, int]) -> dict[UUID, Rendering]:
    """The rendering of each message that its number names."""
    rows = (await session.execute(select(Rendering).where(col(Rendering.message_id).in_(wanted)))).scalars()
    return {row.message_id: row for row in rows if row.number == wanted[row.message_id]}


async def lock_message(session: AsyncSession, message_id: UUID) -> Message:
    """The message, locked against other changes; raises NoSuchMessage."""
    statement = select(Message).where(col(Message.id) == message_id).with_for_update()
    found = (await session.execute(statement)).scalar()
    if found is None:
        raise NoSuchMessage("There is no message with this id.")
    return found
