"""What a mail server's answer means for a message, and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from notification_service.message_templates.rules import RENDERING_STOPPED, Channel
from notification_service.messages.rules import CARRIER_AWAY, AttemptResult, MessageStatus
from notification_service.recipients.rules import CONTACTS_NOT_READ, RECIPIENT_SERVICE_AWAY

SENDABLE = frozenset({Channel.EMAIL, Channel.LETTER})

# E-mail: the recipient's server, or our relay for it, took responsibility (RFC 5321 §4.2.5). Letter: the print room's
# mailbox has it, which is at most what GOV.UK Notify calls `accepted`: not printed, not posted. These channels say
# nothing better later, so it is their final answer.
DELIVERED_CODE = {Channel.EMAIL: "accepted_by_server", Channel.LETTER: "handed_to_print_room"}

OUR_SIDE = frozenset(
    {
        CARRIER_AWAY,
        RECIPIENT_SERVICE_AWAY,
        CONTACTS_NOT_READ,
        "connection_lost",
        "sender_refused",
        "not_started",
    }
)
"""Reasons that say nothing about the recipient: such a message is tried until it works."""

MAX_REFUSALS = 8
# What ended the process that renders may do so again: it is set aside sooner.
_SET_ASIDE_AFTER = {RENDERING_STOPPED: 3}
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
# One message waits so long for all others that wait for the mail server or for the same service.
_LONGEST_WAIT_TOGETHER = timedelta(minutes=1)
# Every message finds these out for itself, and its log only grows: a day's outage must not fill it.
_LONGEST_WAIT_ALONE = timedelta(hours=1)
_ASKED_ALONE = frozenset({"connection_lost", "sender_refused", CONTACTS_NOT_READ})

# Bad sequence (no or wrong greeting), parameter not implemented (a greeting the server does not like), authentication
# required (RFC 5321 §4.2.3, RFC 4954 §6): answered to RCPT, and still about us.
_ABOUT_OUR_SET_UP = frozenset({503, 504, 530})


class Stage(Enum):
    """Which command of the SMTP conversation was answered."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send a message, and what those before it met.

    `refusals`: how often the recipient's side has answered "later". `waits`: how often in a row our own side was away.
    """

    message_id: UUID
    number: int
    refusals: int = 0
    waits: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message ready to leave: to whom, and its bytes."""

    attempt: Attempt
    channel: Channel
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """How the attempt ended. `code` is None when the server took the message.

    `may_have_left`: the connection was lost before the server's answer, so that it may have taken the message.
    """

    code: str | None
    final: bool = False
    explanation: str | None = None
    may_have_left: bool = False


TAKEN = ServerAnswer(None)
NOT_STARTED = ServerAnswer("not_started")
CONNECTION_LOST = ServerAnswer("connection_lost", may_have_left=True)


def answer_of(stage: Stage, reply: int) -> ServerAnswer:
    """What a refusal means: 5xx ends the message, 4xx is tried again (RFC 5321 §4.2.1).

    A refused sender is our own configuration, never the recipient's fault: it is tried again until put right. 421
    means that the server closes the connection.

    >>> answer_of(Stage.RECIPIENT, 550), answer_of(Stage.RECIPIENT, 451).code
    (ServerAnswer(code='address_refused', final=True, explanation='SMTP 550', may_have_left=False), 'address_busy')
    """
    explanation = f"SMTP {reply}"
    if reply == 421:
        return ServerAnswer("connection_lost", explanation=explanation)
    if stage is Stage.SENDER or reply in _ABOUT_OUR_SET_UP:
        return ServerAnswer("sender_refused", explanation=explanation)
    if reply < 500:
        return ServerAnswer("address_busy", explanation=explanation)
    return ServerAnswer("address_refused" if stage is Stage.RECIPIENT else "message_refused", True, explanation)


def result_of(envelope: Envelope, answer: ServerAnswer, *, at: datetime) -> AttemptResult:
    """What is recorded: delivered, failed, or queued again with a wait."""
    attempt = envelope.attempt
    if answer.code is None:
        return AttemptResult(
            attempt.message_id, attempt.number, MessageStatus.DELIVERED, DELIVERED_CODE[envelope.channel]
        )
    if answer is NOT_STARTED:
        return result_of_not_started(attempt, at=at)
    failed = result_of_failure(attempt, answer.code, at=at, final=answer.final, explanation=answer.explanation)
    return replace(failed, may_have_left=answer.may_have_left)


def result_of_not_started(attempt: Attempt, *, at: datetime) -> AttemptResult:
    """Its turn did not come: queued as it was, at once."""
    return AttemptResult(
        attempt.message_id,
        attempt.number,
        MessageStatus.QUEUED,
        "not_started",
        attempt.refusals,
        attempt.waits,
        due_at=at,
    )


def result_of_failure(
    attempt: Attempt, code: str, *, at: datetime, final: bool, explanation: str | None = None
) -> AttemptResult:
    """A failed attempt: the end of the message, or another try after a wait.

    Only what the recipient's side answers counts towards giving up, however often our own side was away before.
    """
    if code in OUR_SIDE:
        refusals, waits = attempt.refusals, attempt.waits + 1
    else:
        refusals, waits = attempt.refusals + 1, 0
    wait = None if final else wait_before_retry(code, waits or refusals)
    if wait is None:
        return AttemptResult(
            attempt.message_id, attempt.number, MessageStatus.FAILED, code, refusals, waits, explanation=explanation
        )
    return AttemptResult(
        attempt.message_id,
        attempt.number,
        MessageStatus.QUEUED,
        code,
        refusals,
        waits,
        due_at=at + wait,
        explanation=explanation,
    )


def wait_before_retry(code: str, times: int) -> timedelta | None:
    """How long to wait when this side has refused for the n-th time; None when it is time to give up.

    A mail server that answers "later" (4xx) is asked 8 times in about 14 hours; our own side being away never ends
    a message. Where one message asks for all it asks once a minute at last, else every message once an hour.

    >>> [str(wait_before_retry("address_busy", n)) for n in (1, 2, 3, 7)]
    ['0:01:00', '0:04:00', '0:16:00', '4:00:00']
    >>> wait_before_retry("address_busy", 8) is None, str(wait_before_retry("carrier_away", 500))
    (True, '0:01:00')
    >>> wait_before_retry("rendering_stopped", 2) is None, wait_before_retry("rendering_stopped", 3) is None
    (False, True)
    >>> [str(wait_before_retry("sender_refused", n)) for n in (1, 5, 500)]
    ['0:00:05', '0:01:20', '1:00:00']
    """
    if code in OUR_SIDE:
        longest = _LONGEST_WAIT_ALONE if code in _ASKED_ALONE else _LONGEST_WAIT_TOGETHER
        return min(timedelta(seconds=5 * (1 << min(times - 1, 10))), longest)
    if times >= _SET_ASIDE_AFTER.get(code, MAX_REFUSALS):
        return None
    return min(_FIRST_WAIT * (1 << 2 * (times - 1)), _LONGEST_WAIT)
