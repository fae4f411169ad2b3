"""What a mail server's answer means for a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from notification_service.message_templates.rules import Channel
from notification_service.messages.rules import CARRIER_AWAY, Outcome, Status, wait_before_retry

SENDABLE = frozenset({Channel.EMAIL, Channel.LETTER})

# E-mail: the recipient's server, or our relay for it, took responsibility (RFC 5321 §4.2.5). Letter: the print room
# has it; "received" of GOV.UK Notify means the same, printed and dispatched (receivables.md §6).
DELIVERED_CODE = {Channel.EMAIL: "accepted_by_server", Channel.LETTER: "handed_to_print_room"}


class Stage(Enum):
    """Which command of the SMTP conversation was answered."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message ready to leave: to whom, and its bytes."""

    message_id: UUID
    attempt: int
    failures: int
    channel: Channel
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """How the attempt ended. `code` is None when the server took the message for at least one recipient."""

    code: str | None
    final: bool = False
    explanation: str | None = None


TAKEN = Answer(None)
NO_CARRIER = Answer(CARRIER_AWAY)
NOT_STARTED = Answer("not_started")


def answer_of(stage: Stage, reply: int) -> Answer:
    """What a refusal means: 5xx ends the message, 4xx is tried again (RFC 5321 §4.2.1).

    A refused sender is our own configuration, never the recipient's fault: it is tried again until put right.

    >>> answer_of(Stage.RECIPIENT, 550), answer_of(Stage.RECIPIENT, 451).code
    (Answer(code='address_refused', final=True, explanation='SMTP 550'), 'address_busy')
    """
    explanation = f"SMTP {reply}"
    if stage is Stage.SENDER:
        return Answer("sender_refused", explanation=explanation)
    if reply < 500:
        return Answer("address_busy", explanation=explanation)
    return Answer("address_refused" if stage is Stage.RECIPIENT else "message_refused", True, explanation)


def outcome_of(envelope: Envelope, answer: Answer, *, at: datetime) -> Outcome:
    """What is recorded: delivered, failed, or queued again with a wait."""
    message_id, attempt, failures = envelope.message_id, envelope.attempt, envelope.failures
    if answer.code is None:
        code = DELIVERED_CODE[envelope.channel]
        return Outcome(message_id, attempt, Status.DELIVERED, code, explanation=answer.explanation)
    if answer is NOT_STARTED:
        return Outcome(message_id, attempt, Status.QUEUED, "not_started", failures, due_at=at)
    return outcome_of_failure(
        message_id, attempt, failures, answer.code, at=at, final=answer.final, explanation=answer.explanation
    )


def outcome_of_failure(
    message_id: UUID,
    attempt: int,
    failures: int,
    code: str,
    *,
    at: datetime,
    final: bool,
    explanation: str | None = None,
) -> Outcome:
    """A failed attempt: the end of the message, or another try after a wait."""
    wait = None if final else wait_before_retry(code, failures + 1)
    if wait is None:
        return Outcome(message_id, attempt, Status.FAILED, code, failures + 1, explanation=explanation)
    return Outcome(message_id, attempt, Status.QUEUED, code, failures + 1, due_at=at + wait, explanation=explanation)
