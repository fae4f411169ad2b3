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
from sqlalchemy import Result, Row, RowMapping, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.messages.rules import (
    ABOUT_DUNNING_NOTICE,
    CARRIER_AWAY,
    NewMessage,
    NoSuchMessage,
    Outcome,
    Status,
)
from notification_service.messages.tables import Message, MessageEvent, Rendering
from notification_service.recipients.rules import RECIPIENT_SERVICE_AWAY

_INSERT = text(
    """
    INSERT INTO message (id, version, template, template_version, channel, recipient_kind, recipient_id, about_kind,
                         about_id, copy_number, reference, facts, status, attempt, refusals, waits, rendering,
                         may_have_left, due_at, created_at, created_by)
    SELECT id, 1, template, template_version, channel, recipient_kind, recipient_id, about_kind,
           about_id, 0, reference, "values", 'queued', 0, 0, 0, 0, false, :at, :at, :by
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new_message(
        id uuid, template text, template_version int, channel text, recipient_kind text, recipient_id uuid,
        about_kind text, about_id uuid, reference text, "values" jsonb)
    ON CONFLICT (about_kind, about_id, template, copy_number) DO NOTHING
    RETURNING id, about_id
    """
)

_COPY = text(
    """
    INSERT INTO message (id, version, template, template_version, channel, recipient_kind, recipient_id, about_kind,
                         about_id, copy_number, address, reference, facts, status, attempt, refusals, waits, rendering,
                         may_have_left, due_at, created_at, created_by)
    SELECT more.id, 1, template, template_version, channel, recipient_kind, recipient_id, about_kind,
           about_id, more.copy_number, more.address, reference, facts, 'queued', 0, 0, 0, 0,
           false, :at, :at, created_by
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS more(id uuid, message_id uuid, copy_number int, address text)
    JOIN message ON message.id = more.message_id
    ON CONFLICT (about_kind, about_id, template, copy_number) DO NOTHING
    RETURNING id
    """
)

_ADDRESS = text(
    """
    UPDATE message SET address = found.address
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS found(message_id uuid, address text)
    WHERE message.id = found.message_id
    """
)

_WAITING_FOR = "SELECT recipient_kind FROM message WHERE status = 'queued' AND code = '{code}' AND due_at > :at"

_DUE = f"""
    status IN ('queued', 'sending') AND due_at <= :at AND withdrawn_code IS NULL
    AND recipient_kind <> ALL (ARRAY({_WAITING_FOR.format(code=RECIPIENT_SERVICE_AWAY)}))
"""

_ANYTHING_TO_SEND = text(
    f"""
    SELECT EXISTS (SELECT FROM message WHERE {_DUE})
        AND NOT EXISTS ({_WAITING_FOR.format(code=CARRIER_AWAY)})
    """
)

# An attempt that was cut off once the message had its words: the server may have it.
_CUT_OFF = "may_have_left OR (status = 'sending' AND rendering > 0)"

_CLAIM = f"""
    WITH due AS (
        SELECT id FROM message WHERE {_DUE}
        ORDER BY {{order}} LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE message SET status = 'sending', attempt = attempt + 1, version = version + 1, due_at = :lease_until,
                       may_have_left = {_CUT_OFF}
    FROM due WHERE message.id = due.id
    RETURNING message.*
"""
_CLAIM_OLDEST = text(_CLAIM.format(order="due_at, id"))
_CLAIM_LONGEST_WAITING = text(_CLAIM.format(order="waits DESC, due_at, id"))

_FINISH = text(
    """
    UPDATE message SET status = done.status, code = done.code, version = message.version + done.steps,
                       refusals = done.refusals, waits = done.waits, due_at = COALESCE(done.due_at, message.due_at),
                       may_have_left = message.may_have_left OR done.may_have_left
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS done(
        message_id uuid, attempt int, status text, code text, steps int, refusals int, waits int, due_at timestamptz,
        may_have_left boolean)
    WHERE message.id = done.message_id AND message.attempt = done.attempt AND message.status = 'sending'
    RETURNING message.id, version, template, template_version, channel, about_kind, about_id, message.may_have_left
    """
)

_TOLD = "id, version, template, template_version, channel, about_kind, about_id, may_have_left, attempt, status, code"

# Whoever changes several messages locks them in the order of their ids: a sender and a handler meet on the same ones.
_WITHDRAW = f"""
    WITH found AS (
        SELECT id AS found_id FROM message
        WHERE about_kind = :kind AND {{which}} AND status IN ('queued', 'sending', 'failed') AND withdrawn_code IS NULL
        ORDER BY id FOR UPDATE
    )
    UPDATE message SET withdrawn_code = :code,
        status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END,
        code = CASE status WHEN 'queued' THEN :code ELSE code END,
        version = version + CASE status WHEN 'queued' THEN 1 ELSE 0 END
    FROM found WHERE id = found_id
    RETURNING {_TOLD}
"""
_WITHDRAW_ABOUT = text(_WITHDRAW.format(which="about_id = ANY(:ids)"))
_WITHDRAW_NOTICES = text(_WITHDRAW.format(which="facts ->> 'receivable_id' = ANY(:ids)"))

_END_WITHDRAWN = text(
    f"""
    WITH found AS (
        SELECT id AS found_id FROM message
        WHERE withdrawn_code IS NOT NULL AND (status = 'queued' OR (status = 'sending' AND due_at <= :at))
        ORDER BY id FOR UPDATE
    )
    UPDATE message SET status = 'cancelled', code = withdrawn_code, version = version + 1, may_have_left = {_CUT_OFF}
    FROM found WHERE id = found_id
    RETURNING {_TOLD}
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


async def copy_messages(session: AsyncSession, copies: Sequence[tuple[UUID, int, str]], *, at: datetime) -> None:
    """The same message to other addresses of its recipient: (message, number of the copy, address)."""
    if not copies:
        return
    rows = [
        {"id": new_id(), "message_id": message_id, "copy_number": number, "address": address}
        for message_id, number, address in copies
    ]
    written = await session.execute(_COPY, {"rows": json.dumps(rows, default=str), "at": at})
    await add_log_entries(
        session, [log_entry(each, version=1, status=Status.QUEUED, attempt=0, at=at) for each in written.scalars()]
    )


async def keep_addresses(session: AsyncSession, addresses: dict[UUID, str]) -> None:
    """From now on these messages are for these addresses only."""
    if not addresses:
        return
    rows = [{"message_id": message_id, "address": address} for message_id, address in addresses.items()]
    await session.execute(_ADDRESS, {"rows": json.dumps(rows, default=str)})


async def anything_to_send(session: AsyncSession, *, at: datetime) -> bool:
    """Whether a message is due and none waits for the mail server to come back."""
    return bool((await session.execute(_ANYTHING_TO_SEND, {"at": at})).scalar_one())


async def claim(
    session: AsyncSession, *, at: datetime, lease_until: datetime, limit: int, longest_waiting: bool = False
) -> list[RowMapping]:
    """Take messages that are due, or whose lease is over; no other sender takes them until then.

    Oldest first; or those first that have waited for our own side most often. Withdrawn ones are left alone, and
    those whose recipient's service is being waited for.
    """
    parameters = {"at": at, "lease_until": lease_until, "limit": limit}
    statement = _CLAIM_LONGEST_WAITING if longest_waiting else _CLAIM_OLDEST
    rows = (await session.execute(statement, parameters)).mappings().all()
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
    await lock_messages(session, [outcome.message_id for outcome in outcomes])
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


async def withdraw_about(
    session: AsyncSession, about_kind: str, about_ids: Sequence[UUID], *, code: str, at: datetime
) -> list[Row[Any]]:
    """What was written about some things must not leave any more; the rows of the messages cancelled by it."""
    parameters = {"kind": about_kind, "ids": list(about_ids), "code": code}
    return await _cancelled(session, await session.execute(_WITHDRAW_ABOUT, parameters), at=at)


async def withdraw_notices(
    session: AsyncSession, receivable_ids: Sequence[UUID], *, code: str, at: datetime
) -> list[Row[Any]]:
    """The same for the notices about receivables."""
    parameters = {"kind": ABOUT_DUNNING_NOTICE, "ids": [str(each) for each in receivable_ids], "code": code}
    return await _cancelled(session, await session.execute(_WITHDRAW_NOTICES, parameters), at=at)


async def end_withdrawn(session: AsyncSession, *, at: datetime) -> list[Row[Any]]:
    """Cancel withdrawn messages that are not under way (any more); the rows of those cancelled."""
    return await _cancelled(session, await session.execute(_END_WITHDRAWN, {"at": at}), at=at)


async def _cancelled(session: AsyncSession, changed: Result[Any], *, at: datetime) -> list[Row[Any]]:
    rows = [row for row in changed if row.status == Status.CANCELLED]
    entries = [
        log_entry(row.id, version=row.version, status=Status.CANCELLED, attempt=row.attempt, at=at, code=row.code)
        for row in rows
    ]
    await add_log_entries(session, entries)
    return rows


async def withdrawn_among(session: AsyncSession, message_ids: Sequence[UUID]) -> set[UUID]:
    """Those of some messages that must not leave any more."""
    statement = select(col(Message.id)).where(
        col(Message.id).in_(message_ids), col(Message.withdrawn_code).is_not(None)
    )
    return set((await session.execute(statement)).scalars())


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


async def lock_messages(session: AsyncSession, message_ids: Sequence[UUID]) -> None:
    """Lock messages against other changes, in the order of their ids."""
    which = select(col(Message.id)).where(col(Message.id).in_(message_ids))
    await session.execute(which.order_by(col(Message.id)).with_for_update())


async def lock_message(session: AsyncSession, message_id: UUID) -> Message:
    """The message, locked against other changes; raises NoSuchMessage."""
    statement = select(Message).where(col(Message.id) == message_id).with_for_update()
    found = (await session.execute(statement)).scalar()
    if found is None:
        raise NoSuchMessage("There is no message with this id.")
    return found
