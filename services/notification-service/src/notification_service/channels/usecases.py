"""Sending: take what is due, put it into words, hand it over, record what became of it.

Words and addresses are stored before a message leaves, and no transaction is open while another service or the
mail server is asked. A crash in between leaves a lease: when it is over the message is sent again, in the same
words, to the same address, with the same Message-ID, and the log shows both attempts. One that the server cannot have
is put into words anew at every attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from council_common.observability.logs import get_logger
from council_common.runtime.service_runtime import Runtime

from notification_service.channels.preparing import failure_of, prepare
from notification_service.channels.rules import NOT_STARTED, Envelope, ServerAnswer, result_of
from notification_service.channels.smtp import Carrier
from notification_service.failed_addresses.rules import FAILING_CODES, Failure, compared
from notification_service.failed_addresses.usecases import note_failures
from notification_service.message_templates.rules import Channel
from notification_service.messages import store
from notification_service.messages.rules import CARRIER_AWAY, AttemptResult, MessageStatus
from notification_service.messages.sending import claim_messages, copy_messages, end_withdrawn, record_results
from notification_service.messages.tables import Message
from notification_service.settings import Settings, settings_of

log = get_logger()

BATCH = 400
RECORDED_TOGETHER = 50  # a crash sends at most so many messages twice


async def send_messages(runtime: Runtime) -> bool:
    """Send one batch; whether there may be more. The job of that name.

    The mail server is asked first. While it does not let us in, one message a minute finds out and its log says so,
    and the others are left as they are: the log of an outage must not outgrow the log of the messages.
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
        # The one that has waited longest waits longer every time: so this is asked once a minute at last.
        probe = await claim_messages(session, at=now, lease_until=now, limit=1, longest_waiting=True)
        results = [
            failure_of(message, CARRIER_AWAY, at=now, final=False, explanation=carrier.refused_because)
            for message in probe
        ]
        await record_results(session, results, at=now)


async def _send_batch(runtime: Runtime, settings: Settings, carrier: Carrier) -> bool:
    now = runtime.clock()
    # Words are made in the first sixth of a lease, a message is begun only in its first third, and the server has the
    # second to answer.
    began, lease = asyncio.get_running_loop().time(), settings.send_lease_seconds
    async with runtime.sessions.begin() as session:
        claimed = await claim_messages(session, at=now, lease_until=now + settings.send_lease, limit=BATCH)
    if not claimed:
        return False
    prepared = await prepare(runtime, claimed, at=now, deadline=began + lease / 6)
    async with runtime.sessions.begin() as session:
        await store.lock_messages(session, [message.id for message in claimed])
        await store.keep_renderings(session, prepared.renderings, prepared.channels)
        await store.keep_addresses(session, prepared.addresses)
        await copy_messages(session, prepared.copies, at=now)
        await record_results(session, prepared.results, at=now)
    for start in range(0, len(prepared.envelopes), RECORDED_TOGETHER):
        together = prepared.envelopes[start : start + RECORDED_TOGETHER]
        answers = await _hand_over(runtime, carrier, together, deadline=began + lease / 3)
        at = runtime.clock()
        async with runtime.sessions.begin() as session:
            results = [result_of(envelope, answer, at=at) for envelope, answer in answers]
            await record_results(session, results, at=at)
            await note_failures(session, _failures(claimed, together, results), at=at)
    log.info("messages_sent", taken=len(claimed), handed_over=len(prepared.envelopes))
    were_alone = any(message.cut_off > 1 for message in claimed)
    return len(claimed) == BATCH or bool(prepared.copies) or were_alone


def _failures(
    claimed: Sequence[Message], envelopes: Sequence[Envelope], results: Sequence[AttemptResult]
) -> list[Failure]:
    """The e-mail addresses that ended their messages."""
    messages = {message.id: message for message in claimed}
    addresses = {
        envelope.attempt.message_id: envelope.recipient for envelope in envelopes if envelope.channel is Channel.EMAIL
    }
    return [
        Failure(
            recipient_kind=messages[result.message_id].recipient_kind,
            recipient_id=messages[result.message_id].recipient_id,
            address=compared(addresses[result.message_id]),
            code=result.code,
            message_id=result.message_id,
        )
        for result in results
        if result.status is MessageStatus.FAILED and result.code in FAILING_CODES and result.message_id in addresses
    ]


async def _hand_over(
    runtime: Runtime, carrier: Carrier, envelopes: Sequence[Envelope], *, deadline: float
) -> list[tuple[Envelope, ServerAnswer]]:
    """What the server answers to each message; what was withdrawn since it was claimed does not leave."""
    async with runtime.sessions() as session:
        withdrawn = await store.withdrawn_among(session, [envelope.attempt.message_id for envelope in envelopes])
    leaving = [envelope for envelope in envelopes if envelope.attempt.message_id not in withdrawn]
    staying = [(envelope, NOT_STARTED) for envelope in envelopes if envelope.attempt.message_id in withdrawn]
    return await carrier.hand_over(leaving, deadline=deadline) + staying
