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
from uuid import UUID

from council_common.observability.logs import get_logger
from council_common.runtime.service_runtime import Runtime
from sqlalchemy import RowMapping

from notification_service.channels.mail import email_bytes, letter_bytes
from notification_service.channels.rules import (
    NOT_STARTED,
    Answer,
    Attempt,
    Envelope,
    outcome_of,
    outcome_of_failure,
)
from notification_service.channels.smtp import Carrier
from notification_service.channels.wording import put_into_words, template_key
from notification_service.message_templates.rules import CannotRender, Channel
from notification_service.message_templates.store import exact_versions
from notification_service.message_templates.tables import MessageTemplateVersion
from notification_service.messages import store
from notification_service.messages.rules import (
    ABOUT_BANK_ACCOUNT_CHANGE,
    ABOUT_DUNNING_NOTICE,
    CARRIER_AWAY,
    Outcome,
    Status,
)
from notification_service.messages.tables import Rendering
from notification_service.messages.usecases import end_withdrawn, record_outcomes
from notification_service.recipients.directory import Found, Key, find_recipients, find_warning_contacts
from notification_service.recipients.rules import BANK_ACCOUNT_CHANGE_WARNING, NoAddress, RecipientKind
from notification_service.settings import Settings, settings_of

log = get_logger()

BATCH = 400
RECORDED_TOGETHER = 50  # a crash sends at most so many messages twice


class _Suppressed(Exception):
    """Nobody writes to this customer about a debt."""


@dataclass
class _Prepared:
    """A batch on its way: what can leave, in which words, what ended before it could, who else is to be told."""

    envelopes: list[Envelope] = field(default_factory=list)
    renderings: list[Rendering] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    addresses: dict[UUID, str] = field(default_factory=dict)
    copies: list[tuple[UUID, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """What is known before a batch is put into words."""

    templates: dict[tuple[str, int], MessageTemplateVersion]
    kept: dict[UUID, Rendering]
    found: Found


async def send_messages(runtime: Runtime) -> bool:
    """Send one batch; whether there may be more. The job of that name.

    The mail server is asked first. While it does not let us in, one message a minute finds out and says so, and the
    others are left as they are: the log of an outage must not outgrow the log of the messages.
    """
    settings = settings_of(runtime)
    async with runtime.sessions.begin() as session:
        now = runtime.clock()
        await end_withdrawn(session, at=now)
        if not await store.anything_to_send(session, at=now):
            return False
    async with Carrier(settings) as carrier:
        if not await carrier.is_there():
            await _note_carrier_away(runtime, carrier)
            return False
        return await _send_batch(runtime, settings, carrier)


async def _note_carrier_away(runtime: Runtime, carrier: Carrier) -> None:
    now = runtime.clock()
    async with runtime.sessions.begin() as session:
        # The one that has waited longest waits longer each time: so this is asked once a minute at last.
        probe = await store.claim(session, at=now, lease_until=now, limit=1, longest_waiting=True)
        outcomes = [
            _failure(row, CARRIER_AWAY, at=now, final=False, explanation=carrier.refused_because) for row in probe
        ]
        await record_outcomes(session, outcomes, at=now)


async def _send_batch(runtime: Runtime, settings: Settings, carrier: Carrier) -> bool:
    now = runtime.clock()
    # A message is begun only in the first third of its lease, and the server has the second to answer.
    deadline = asyncio.get_running_loop().time() + settings.send_lease_seconds / 3
    async with runtime.sessions.begin() as session:
        claimed = await store.claim(session, at=now, lease_until=now + settings.send_lease, limit=BATCH)
    if not claimed:
        return False
    prepared = await _prepare(runtime, claimed, at=now)
    async with runtime.sessions.begin() as session:
        await store.lock_messages(session, [row["id"] for row in claimed])
        await store.keep_renderings(session, prepared.renderings)
        await store.keep_addresses(session, prepared.addresses)
        await store.copy_messages(session, prepared.copies, at=now)
        await record_outcomes(session, prepared.outcomes, at=now)
    for start in range(0, len(prepared.envelopes), RECORDED_TOGETHER):
        together = prepared.envelopes[start : start + RECORDED_TOGETHER]
        answers = await _hand_over(runtime, carrier, together, deadline=deadline)
        at = runtime.clock()
        async with runtime.sessions.begin() as session:
            await record_outcomes(session, [outcome_of(each, answer, at=at) for each, answer in answers], at=at)
    log.info("messages_sent", taken=len(claimed), handed_over=len(prepared.envelopes))
    return len(claimed) == BATCH or bool(prepared.copies)


async def _hand_over(
    runtime: Runtime, carrier: Carrier, envelopes: Sequence[Envelope], *, deadline: float
) -> list[tuple[Envelope, Answer]]:
    """What the server says to each; what was withdrawn since it was claimed does not leave."""
    async with runtime.sessions() as session:
        withdrawn = await store.withdrawn_among(session, [each.attempt.message_id for each in envelopes])
    leaving = [each for each in envelopes if each.attempt.message_id not in withdrawn]
    staying = [(each, NOT_STARTED) for each in envelopes if each.attempt.message_id in withdrawn]
    return await carrier.hand_over(leaving, deadline=deadline) + staying


async def _prepare(runtime: Runtime, claimed: Sequence[RowMapping], *, at: datetime) -> _Prepared:
    """Every claimed message as an envelope or an outcome; those in words already keep them."""
    settings = settings_of(runtime)
    new = [row for row in claimed if not row["rendering"]]
    async with runtime.sessions() as session:
        templates = await exact_versions(session, {template_key(row) for row in new})
        kept = await store.renderings_of(session, {row["id"]: row["rendering"] for row in claimed if row["rendering"]})
    found = await find_recipients(
        runtime.clients, {_recipient_key(row) for row in claimed if not row["rendering"] or _may_be_suppressed(row)}
    )
    await find_warning_contacts(runtime.clients, found, {row["about_id"] for row in new if _has_many_addresses(row)})
    prepared, known = _Prepared(), _Known(templates, kept, found)
    for row in claimed:
        try:
            _prepare_one(prepared, row, known, settings, at=at)
        except _Suppressed:
            prepared.outcomes.append(Outcome(row["id"], row["attempt"], Status.CANCELLED, "suppressed"))
        except NoAddress as missing:
            prepared.outcomes.append(_failure(row, missing.code, at=at, final=missing.final))
        except CannotRender as wrong:
            prepared.outcomes.append(_failure(row, wrong.code, at=at, explanation=wrong.explanation))
        except Exception as fault:
            # A fault of ours in one message must not keep the others of its batch from leaving.
            log.error("message_not_prepared", message_id=str(row["id"]), exc_info=fault)
            prepared.outcomes.append(_failure(row, "not_prepared", at=at, final=False))
    return prepared


def _prepare_one(prepared: _Prepared, row: RowMapping, known: _Known, settings: Settings, *, at: datetime) -> None:
    if _may_be_suppressed(row) and known.found.is_suppressed(_recipient_key(row)):
        raise _Suppressed
    rendering = known.kept.get(row["id"])
    if rendering is not None:
        prepared.envelopes.append(_envelope(row, rendering, settings, at=at))
        return
    recipient = known.found.recipient(_recipient_key(row))
    address = row["address"]
    if _has_many_addresses(row):
        address, *others = known.found.addresses_to_warn(row["about_id"])
        prepared.addresses[row["id"]] = address
        prepared.copies += [(row["id"], number, other) for number, other in enumerate(others, start=1)]
    rendering = put_into_words(row, known.templates, recipient, settings, address=address, at=at)
    prepared.envelopes.append(_envelope(row, rendering, settings, at=at))
    prepared.renderings.append(rendering)


def _recipient_key(row: RowMapping) -> Key:
    return RecipientKind(row["recipient_kind"]), row["recipient_id"]


def _may_be_suppressed(row: RowMapping) -> bool:
    return bool(row["about_kind"] == ABOUT_DUNNING_NOTICE)


def _has_many_addresses(row: RowMapping) -> bool:
    """Whether a message is one to each of several addresses that are not known yet: the warning of old contacts."""
    is_warning = row["template"] == BANK_ACCOUNT_CHANGE_WARNING and row["about_kind"] == ABOUT_BANK_ACCOUNT_CHANGE
    return bool(is_warning and row["channel"] == Channel.EMAIL and row["address"] is None)


def _failure(
    row: RowMapping, code: str, *, at: datetime, final: bool = True, explanation: str | None = None
) -> Outcome:
    return outcome_of_failure(_attempt(row), code, at=at, final=final, explanation=explanation)


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(row["id"], row["attempt"], row["refusals"], row["waits"])


def _envelope(row: RowMapping, rendering: Rendering, settings: Settings, *, at: datetime) -> Envelope:
    channel = Channel(row["channel"])
    if channel is Channel.LETTER:
        recipient = settings.print_room_mailbox
        content = letter_bytes(
            rendering,
            sender=settings.mail_from,
            sender_name=settings.council_name,
            print_room=settings.print_room_mailbox,
            at=at,
        )
    else:
        (recipient,) = rendering.sent_to
        content = email_bytes(rendering, sender=settings.mail_from, sender_name=settings.council_name, at=at)
    return Envelope(_attempt(row), channel, recipient, content)
