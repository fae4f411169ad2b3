"""Sending: take what is due, put it into words, hand it over, record what became of it.

Words and addresses are stored before a message leaves, and no transaction is open while another service or the
mail server is asked. A crash in between leaves a lease: when it is over the message is sent again, in the same
words, to the same address, with the same Message-ID, and the log shows both attempts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from council_common.observability.logs import get_logger
from council_common.runtime.running import Runtime
from sqlalchemy import RowMapping

from notification_service.channels.mail import email_bytes, letter_bytes
from notification_service.channels.rules import Envelope, outcome_of, outcome_of_failure
from notification_service.channels.smtp import Carrier
from notification_service.channels.wording import Key, put_into_words, template_key
from notification_service.message_templates.rules import CannotRender, Channel
from notification_service.message_templates.store import exact_versions
from notification_service.messages import store
from notification_service.messages.rules import RECIPIENT_SERVICE_AWAY, Outcome
from notification_service.messages.tables import Rendering
from notification_service.messages.usecases import record_outcomes
from notification_service.recipients.directory import Answer, find_recipients
from notification_service.recipients.rules import NoAddress, RecipientKind
from notification_service.settings import Settings, settings_of

log = get_logger()

BATCH = 400
RECORDED_TOGETHER = 50  # a crash sends at most so many messages twice


@dataclass
class _Prepared:
    """A batch on its way: what can leave, in which words, and what ended before it could."""

    envelopes: list[Envelope] = field(default_factory=list)
    renderings: list[Rendering] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


async def send_messages(runtime: Runtime) -> bool:
    """Send one batch; whether there may be more. The job of that name."""
    settings, now = settings_of(runtime), runtime.clock()
    # A message is begun only in the first third of its lease, and the server has the second to answer.
    deadline = asyncio.get_running_loop().time() + settings.send_lease_seconds / 3
    async with runtime.sessions.begin() as session:
        claimed = await store.claim(session, at=now, lease_until=now + settings.send_lease, limit=BATCH)
    if not claimed:
        return False
    prepared = await _prepare(runtime, claimed, at=now)
    async with runtime.sessions.begin() as session:
        await store.keep_renderings(session, prepared.renderings)
        await record_outcomes(session, prepared.outcomes, at=now)
    async with Carrier(settings, deadline=deadline) as carrier:
        for start in range(0, len(prepared.envelopes), RECORDED_TOGETHER):
            answers = await carrier.hand_over(prepared.envelopes[start : start + RECORDED_TOGETHER])
            at = runtime.clock()
            async with runtime.sessions.begin() as session:
                await record_outcomes(session, [outcome_of(each, answer, at=at) for each, answer in answers], at=at)
    log.info("messages_sent", taken=len(claimed), handed_over=len(prepared.envelopes))
    return len(claimed) == BATCH


async def _prepare(runtime: Runtime, claimed: Sequence[RowMapping], *, at: datetime) -> _Prepared:
    """Every claimed message as an envelope or an outcome; those in words already keep them."""
    settings = settings_of(runtime)
    new = [row for row in claimed if not row["rendering"]]
    async with runtime.sessions() as session:
        templates = await exact_versions(session, {template_key(row) for row in new})
        kept = await store.renderings_of(session, {row["id"]: row["rendering"] for row in claimed if row["rendering"]})
    recipients = await find_recipients(runtime.clients, {_recipient_key(row) for row in new})
    prepared = _Prepared()
    for row in claimed:
        try:
            rendering = kept.get(row["id"])
            if rendering is None:
                if RecipientKind(row["recipient_kind"]) in recipients.away:
                    prepared.outcomes.append(_failure(row, RECIPIENT_SERVICE_AWAY, at=at, final=False))
                    continue
                rendering = put_into_words(row, templates, _recipient(recipients, row), settings, at=at)
                prepared.renderings.append(rendering)
            prepared.envelopes.append(_envelope(row, rendering, settings, at=at))
        except NoAddress as missing:
            prepared.outcomes.append(_failure(row, missing.code, at=at))
        except CannotRender as wrong:
            prepared.outcomes.append(_failure(row, wrong.code, at=at, explanation=wrong.explanation))
    return prepared


def _recipient_key(row: RowMapping) -> Key:
    return RecipientKind(row["recipient_kind"]), row["recipient_id"]


def _recipient(answer: Answer, row: RowMapping) -> Any:
    found = answer.found.get(_recipient_key(row))
    if found is None:
        raise NoAddress("recipient_unknown")
    return found


def _failure(
    row: RowMapping, code: str, *, at: datetime, final: bool = True, explanation: str | None = None
) -> Outcome:
    return outcome_of_failure(
        row["id"], row["attempt"], row["failures"], code, at=at, final=final, explanation=explanation
    )


def _envelope(row: RowMapping, rendering: Rendering, settings: Settings, *, at: datetime) -> Envelope:
    channel = Channel(row["channel"])
    if channel is Channel.LETTER:
        recipients: Sequence[str] = [settings.print_room_mailbox]
        content = letter_bytes(
            rendering,
            sender=settings.mail_from,
            sender_name=settings.council_name,
            print_room=settings.print_room_mailbox,
            at=at,
        )
    else:
        recipients = rendering.sent_to
        content = email_bytes(rendering, sender=settings.mail_from, sender_name=settings.council_name, at=at)
    return Envelope(row["id"], row["attempt"], row["failures"], channel, tuple(recipients), content)
