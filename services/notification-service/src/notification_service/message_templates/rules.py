"""What a template may be: its name, its channels, its placeholders, and how it is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from council_common.contracts.message_values import CHANNELS_USED, VALUES_FILLED, Sender, ValueKind
from council_common.errors import Conflict, FieldError, Malformed, NotFound
from council_common.fields import Form

NAME_FORM = Form(r"^[a-z][a-z0-9_]{1,59}$", "2 to 60 small letters, digits and _, such as plan_offer")
PLACEHOLDER_FORM = Form(r"^[a-z][a-z0-9_]{0,59}$", "up to 60 small letters, digits and _, such as due_on")

ALWAYS_THERE = frozenset(
    {"recipient_name", "recipient_is_person", "council_name", "council_contact", "how_to_pay", "written_on"}
)
"""Placeholders that every message has by itself."""


RENDERING_STOPPED = "rendering_stopped"
"""The process that renders was ended over this message: out of memory, or no answer in its time."""

_SENDABLE = re.compile(r"[^\x00\ud800-\udfff]*")


def is_sendable(text: str) -> bool:
    """Whether a database keeps it and a mail carries it: no NUL, no half of a character (a lone surrogate).

    >>> is_sendable("£5"), is_sendable("a\\x00"), is_sendable("\\ud800")
    (True, False, False)
    """
    return _SENDABLE.fullmatch(text) is not None


class Channel(StrEnum):
    """The ways a message can go. E-mail and letter are there; a message for another one fails."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    WEBHOOK = "webhook"


class TemplatePurpose(StrEnum):
    """What a template's words do. Nobody who must not be asked for money is sent the first kind."""

    ENFORCE_DEBT = "enforce_debt"
    INFORM = "inform"


class Decision(StrEnum):
    """What a second person makes of a version."""

    APPROVED = "approved"
    REJECTED = "rejected"


class VersionStatus(StrEnum):
    """Where a version stands. The last `approved` one is in use; `superseded`: a later one came before a decision."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


def status_of(number: int, decision: Decision | None, *, newest: int) -> VersionStatus:
    """The status of a version of a template whose newest has that number.

    >>> str(status_of(1, None, newest=2))
    'superseded'
    """
    if decision is not None:
        return VersionStatus(decision.value)
    return VersionStatus.PROPOSED if number == newest else VersionStatus.SUPERSEDED


class TemplateNotApproved(Conflict):
    """No version of the template has been approved: nothing is written by it."""

    code = "message-template-not-approved"


class VersionNotProposed(Conflict):
    """The version was decided before, or a later one took its place."""

    code = "message-template-version-not-proposed"


class TemplateNotFound(NotFound):
    """No template has this name, or none of its versions this number."""

    code = "message-template-not-found"


class TemplateExists(Conflict):
    """A template has this name already."""

    code = "message-template-exists"


class InvalidTemplate(Malformed):
    """The text of a template is invalid."""

    code = "message-template-malformed"


class ValuesDoNotFit(Malformed):
    """The values do not fit the placeholders of the template."""

    code = "message-values-malformed"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a template version, before a message's values are in."""

    channels: frozenset[Channel]
    subject: str
    text: str
    html: str | None
    placeholders: Mapping[str, ValueKind]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in its final words; `html` is None where the template has no such variant."""

    subject: str
    text: str
    html: str | None


class CannotRender(Exception):
    """Template and values do not make a message. `code` is stable; `explanation` names placeholders, never values.

    Not `final` where another attempt may do better.
    """

    def __init__(self, code: str, explanation: str, *, final: bool = True) -> None:
        super().__init__(explanation)
        self.code = code
        self.explanation = explanation
        self.final = final


def missing_placeholders(declared: Iterable[str], values: Mapping[str, Any]) -> list[str]:
    """The declared placeholders without a value, by name."""
    return sorted(name for name in declared if name not in values)


def must_be_declared(used: Iterable[str], declared: Iterable[str]) -> None:
    """Raise InvalidTemplate when a text uses what it does not declare, or declares what is always there."""
    declared = set(declared)
    errors = [
        FieldError("placeholders", f"the text uses {name}, which is not declared", f"{name} among them")
        for name in sorted(set(used) - declared - ALWAYS_THERE)
    ]
    errors += [
        FieldError("placeholders", f"{name} is always there and cannot be declared", f"none named {name}")
        for name in sorted(declared & ALWAYS_THERE)
    ]
    if errors:
        raise InvalidTemplate("The template's placeholders are invalid; see errors.", errors=errors)


def must_suit_sender(sender: Sender | None, purpose: TemplatePurpose, wording: Wording) -> None:
    """Raise InvalidTemplate where a template asks for what its sender does not fill in, or is not for its channels.

    A template that nobody but officers uses (`sender` None) may ask for anything.
    """
    if sender is None:
        return
    filled, errors = VALUES_FILLED[sender], []
    for name, kind in sorted(wording.placeholders.items()):
        if name not in filled:
            expected = f"one of {', '.join(sorted(filled))}; or a template of another name, sent by hand"
            errors.append(FieldError(f"placeholders.{name}", f"no {sender} fills it in", expected))
        elif kind != filled[name]:
            errors.append(FieldError(f"placeholders.{name}", f"a {sender} fills in another kind", filled[name]))
    if missing := sorted(CHANNELS_USED[sender] - wording.channels):
        expected = " and ".join(sorted(CHANNELS_USED[sender]))
        errors.append(FieldError("channels", f"a {sender} needs {' and '.join(missing)}, too", expected))
    if (purpose is TemplatePurpose.ENFORCE_DEBT) != (sender is Sender.DUNNING_NOTICE):
        expected = TemplatePurpose.ENFORCE_DEBT if sender is Sender.DUNNING_NOTICE else TemplatePurpose.INFORM
        errors.append(FieldError("purpose", f"is not that of a {sender}", expected))
    if errors:
        raise InvalidTemplate(f"No {sender} could be written by this template; see errors.", errors=errors)
