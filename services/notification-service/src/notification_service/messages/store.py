"""The statements on messages: set-based, a batch of messages in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.rows import columns_of, row_of
from council_common.database.sessions import driver
from council_common.database.tables import change
from council_common.events.causes import current_causes
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.messages.rules import CARRIER_AWAY, AttemptResult, NewMessage
from notification_service.messages.tables import Message, Rendering
from notification_service.recipients.rules import RECIPIENT_SERVICE_AWAY

MESSAGE = columns_of(Message, "message")
LONGEST_LOG = 1_000

_INSERT = """
    INSERT INTO message (id, version, template, template_version, channel, recipient_kind, recipient_id, about_kind,
                         about_id, receivable_id, purpose, addressee, copy_number, reference, facts, status, attempt,
                         cut_off, refusals, waits, rendering, may_have_left, traceparent, due_at, created_at,
                         created_by, created_by_name)
    SELECT id, 1, template, template_version, channel, recipient_kind, recipient_id, about_kind,
           about_id, receivable_id, purpose, NULLIF(addressee, 'null'), 0, reference, "values", 'queued', 0,
           0, 0, 0, 0, false, traceparent, $2, $2, $3, $4
    FROM jsonb_to_recordset($1::jsonb) AS new_message(
        id uuid, template text, template_version int, channel text, recipient_kind text, recipient_id uuid,
        about_kind text, about_id uuid, receivable_id uuid, purpose text, addressee jsonb, reference text,
        traceparent text, "values" jsonb)
    ON CONFLICT (about_kind, about_id, template, copy_number) DO NOTHING
    RETURNING id, about_id
"""

_INSERT_COPIES = """
    INSERT INTO message (id, version, template, template_version, channel, recipient_kind, recipient_id, about_kind,
                         about_id, receivable_id, purpose, addressee, copy_number, address, reference, facts, status,
                         attempt, cut_off, refusals, waits, rendering, may_have_left, traceparent, due_at, created_at,
                         created_by, created_by_name)
    SELECT more.id, 1, template, template_version, channel, recipient_kind, recipient_id, about_kind,
           about_id, receivable_id, purpose, addressee, more.copy_number, more.address, reference, facts, 'queued',
           0, 0, 0, 0, 0, false, traceparent, $2, $2, created_by, created_by_name
    FROM jsonb_to_recordset($1::jsonb) AS more(id uuid, message_id uuid, copy_number int, address text)
    JOIN message ON message.id = more.message_id
    ON CONFLICT (about_kind, about_id, template, copy_number) DO NOTHING
    RETURNING id
"""

_KEEP_ADDRESSES = """
    UPDATE message SET address = found.address
    FROM jsonb_to_recordset($1::jsonb) AS found(message_id uuid, address text)
    WHERE message.id = found.message_id
"""

_WAITING_FOR = "SELECT recipient_kind FROM message WHERE status = 'queued' AND code = '{code}' AND due_at > $1"

_DUE = f"""
    status IN ('queued', 'sending') AND due_at <= $1 AND withdrawn_code IS NULL
    AND recipient_kind <> ALL (ARRAY({_WAITING_FOR.format(code=RECIPIENT_SERVICE_AWAY)}))
"""

_ANYTHING_TO_SEND = f"""
    SELECT EXISTS (SELECT FROM message WHERE {_DUE})
        AND NOT EXISTS ({_WAITING_FOR.format(code=CARRIER_AWAY)})
"""

# An attempt that was cut off once the message had its words: the server may have it.
CUT_OFF = "may_have_left OR (status = 'sending' AND rendering > 0)"

# Cut off twice: it is taken alone from now on, so that what ends a worker is counted for itself.
_SUSPECT = "status = 'sending' AND cut_off > 0"

# The attempt before is counted as cut off when this one begins, before its work: a killed worker counts nothing itself.
_CLAIM = f"""
    WITH due AS (
        SELECT id FROM message WHERE {_DUE} AND {{which}}
        ORDER BY {{order}} LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE message SET attempt = attempt + 1, version = version + 1, due_at = $2, may_have_left = {CUT_OFF},
                       cut_off = cut_off + (status = 'sending')::int, status = 'sending'
    FROM due WHERE message.id = due.id
    RETURNING {MESSAGE}
"""
_CLAIM_OLDEST = _CLAIM.format(which=f"NOT ({_SUSPECT})", order="due_at, id")
_CLAIM_SUSPECT = _CLAIM.format(which=_SUSPECT, order="due_at, id")
_CLAIM_LONGEST_WAITING = _CLAIM.format(which="true", order="waits DESC, due_at, id")

_FINISH = f"""
    UPDATE message SET status = done.status, code = done.code, version = message.version + done.steps,
                       refusals = done.refusals, waits = done.waits, cut_off = 0,
                       due_at = COALESCE(done.due_at, message.due_at),
                       may_have_left = message.may_have_left OR done.may_have_left
    FROM jsonb_to_recordset($1::jsonb) AS done(
        message_id uuid, attempt int, status text, code text, steps int, refusals int, waits int, due_at timestamptz,
        may_have_left boolean)
    WHERE message.id = done.message_id AND message.attempt = done.attempt AND message.status = 'sending'
    RETURNING {MESSAGE}
"""

_POINT_AT_RENDERINGS = """
    UPDATE message SET rendering = made.number, body_sha256 = made.body_sha256,
                       channel = COALESCE(made.channel, message.channel)
    FROM jsonb_to_recordset($1::jsonb) AS made(message_id uuid, number int, body_sha256 text, channel text)
    WHERE message.id = made.message_id AND message.attempt = made.number
"""


async def insert_messages(
    session: AsyncSession, messages: Iterable[tuple[NewMessage, int]], *, by: Actor, at: datetime
) -> dict[UUID, UUID]:
    """Write messages, each with its template version; those about which there is one already are left out.

    Returns the ids of the new ones by what they are about.
    """
    causes = current_causes()
    rows = [
        {
            **asdict(new),
            "template_version": version,
            "id": new_id(),
            "traceparent": causes.traceparent_of(new.caused_by),
        }
        for new, version in messages
    ]
    written = await _fetch(session, _INSERT, _as_json(rows), at, by.subject, by.name)
    return {row["about_id"]: row["id"] for row in written}


async def insert_copies(session: AsyncSession, copies: Sequence[tuple[UUID, int, str]], *, at: datetime) -> list[UUID]:
    """The same message to other addresses of its recipient: (message, number of the copy, address). Their ids."""
    rows = [
        {"id": new_id(), "message_id": message_id, "copy_number": number, "address": address}
        for message_id, number, address in copies
    ]
    return [row["id"] for row in await _fetch(session, _INSERT_COPIES, _as_json(rows), at)]


async def keep_addresses(session: AsyncSession, addresses: Mapping[UUID, str]) -> None:
    """From now on these messages are for these addresses only."""
    if addresses:
        rows = [{"message_id": message_id, "address": address} for message_id, address in addresses.items()]
        await _fetch(session, _KEEP_ADDRESSES, _as_json(rows))


async def anything_to_send(session: AsyncSession, *, at: datetime) -> bool:
    """Whether a message is due and none waits for the mail server to come back."""
    [found] = await _fetch(session, _ANYTHING_TO_SEND, at)
    return bool(found[0])


async def claim(
    session: AsyncSession, *, at: datetime, lease_until: datetime, limit: int, longest_waiting: bool = False
) -> list[Message]:
    """Take messages that are due, or whose lease is over; no other sender takes them until then.

    Oldest first; or those first that have waited for our own side most often. Withdrawn ones are left alone, and
    those whose recipient's service is being waited for. One whose attempts were cut off twice is taken alone, when no
    other is due: perhaps it is what ends the worker.
    """
    statement = _CLAIM_LONGEST_WAITING if longest_waiting else _CLAIM_OLDEST
    claimed = await fetch_messages(session, statement, at, lease_until, limit)
    if not claimed and not longest_waiting:
        claimed = await fetch_messages(session, _CLAIM_SUSPECT, at, lease_until, 1)
    return sorted(claimed, key=lambda message: (message.created_at, message.id))


async def finish(session: AsyncSession, results: Sequence[AttemptResult]) -> list[tuple[AttemptResult, Message]]:
    """Store what became of attempts; returns those stored, each with its message as it is now.

    An attempt whose lease was over and that another sender has taken up since is not stored.
    """
    await lock_messages(session, [result.message_id for result in results])
    rows = [{**asdict(result), "steps": result.steps} for result in results]
    changed = {message.id: message for message in await fetch_messages(session, _FINISH, _as_json(rows))}
    return [(result, changed[result.message_id]) for result in results if result.message_id in changed]


async def withdrawn_among(session: AsyncSession, message_ids: Sequence[UUID]) -> set[UUID]:
    """Those of some messages that must not leave any more."""
    statement = select(col(Message.id)).where(
        col(Message.id).in_(message_ids), col(Message.withdrawn_code).is_not(None)
    )
    return set((await session.execute(statement)).scalars())


async def keep_renderings(session: AsyncSession, renderings: Sequence[Rendering], channels: Mapping[UUID, str]) -> None:
    """Store the words and addresses of messages before they leave, and point the messages at them.

    `channels`: those of messages that go another way than was asked for.
    """
    if not renderings:
        return
    await session.execute(insert(Rendering), [rendering.model_dump() for rendering in renderings])
    pointers = [
        {"message_id": rendering.message_id, "number": rendering.number, "body_sha256": rendering.body_sha256}
        | {"channel": channels.get(rendering.message_id)}
        for rendering in renderings
    ]
    await _fetch(session, _POINT_AT_RENDERINGS, _as_json(pointers))


async def renderings_of(session: AsyncSession, wanted: Mapping[UUID, int]) -> dict[UUID, Rendering]:
    """The rendering of each message that its number names."""
    rows = (await session.execute(select(Rendering).where(col(Rendering.message_id).in_(wanted)))).scalars()
    return {row.message_id: row for row in rows if row.number == wanted[row.message_id]}


async def rendering_of(session: AsyncSession, message_id: UUID, number: int) -> Rendering | None:
    """The words of a message under a number; None where there are none."""
    return await session.get(Rendering, (message_id, number))


async def log_of(session: AsyncSession, message_id: UUID) -> Sequence[Row[Any]]:
    """The history of a message, oldest first; of a very long one the newest lines."""
    statement = select(change).where(change.c.entity_id == message_id).order_by(change.c.version.desc())
    return (await session.execute(statement.limit(LONGEST_LOG))).all()[::-1]


async def totals(session: AsyncSession, narrow: Callable[[Select[Any]], Select[Any]]) -> Sequence[Row[Any]]:
    """How many messages there are by template, channel and status, of those that a list is narrowed to."""
    groups: list[Any] = [col(Message.template), col(Message.channel), col(Message.status)]
    statement = narrow(select(*groups, func.count().label("count")))
    counted: Sequence[Row[Any]] = (await session.execute(statement.group_by(*groups).order_by(*groups))).all()
    return counted


async def lock_messages(session: AsyncSession, message_ids: Sequence[UUID]) -> None:
    """Lock messages against other changes, in the order of their ids."""
    which = select(col(Message.id)).where(col(Message.id).in_(message_ids))
    await session.execute(which.order_by(col(Message.id)).with_for_update())


async def fetch_messages(session: AsyncSession, statement: str, *parameters: Any) -> list[Message]:
    """The messages that a driver statement returns with all their columns, as they are now."""
    return [row_of(Message, row) for row in await _fetch(session, statement, *parameters)]


async def _fetch(session: AsyncSession, statement: str, *parameters: Any) -> list[Any]:
    return list(await (await driver(session)).fetch(statement, *parameters))


def _as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=str)
