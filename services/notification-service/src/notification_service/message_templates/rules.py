"""What a template may be: its name, its channels, its placeholders, and how it is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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
    placeholders: frozenset[str]


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


def must_fit(declared: Iterable[str], values: Mapping[str, Any]) -> None:
    """Raise ValuesDoNotFit unless the values are exactly those the template declares."""
    declared = set(declared)
    errors = [FieldError(f"values.{name}", "missing", "a value") for name in missing_placeholders(declared, values)]
    expected = f"one of {', '.join(sorted(declared))}" if declared else "no values"
    errors += [FieldError(f"values.{name}", "not a placeholder", expected) for name in sorted(set(values) - declared)]
    if errors:
        raise ValuesDoNotFit("The values do not fit the template's placeholders; see errors.", errors=errors)


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
