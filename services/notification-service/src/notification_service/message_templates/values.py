"""Whether values are those that a template's placeholders take, judged before anything is written by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from council_common.contracts.message_values import ValueKind
from council_common.errors import FieldError
from council_common.fields import EARLIEST, LATEST
from council_common.money import MAX_PENCE

from notification_service.message_templates.rules import ValuesDoNotFit, is_sendable, missing_placeholders

EXPECTED = {
    ValueKind.TEXT: "text",
    ValueKind.DATE: f"a date such as 2026-03-31, from {EARLIEST} to {LATEST}",
    ValueKind.PENCE: "whole pence, as 4550 for £45.50, not negative",
    ValueKind.COUNT: "a whole number, not negative",
    ValueKind.LINES: "a list",
}
MAX_COUNT = 1_000_000
MAX_TEXT = 50_000


def must_fit(declared: Mapping[str, ValueKind], values: Mapping[str, Any]) -> None:
    """Raise ValuesDoNotFit unless the values are exactly those the template declares, each of its kind."""
    errors = [
        FieldError(f"values.{name}", "missing", EXPECTED[declared[name]])
        for name in missing_placeholders(declared, values)
    ]
    expected = f"one of {', '.join(sorted(declared))}" if declared else "no values"
    errors += [
        FieldError(f"values.{name}", "not a placeholder", expected) for name in sorted(values.keys() - declared.keys())
    ]
    errors += [
        FieldError(f"values.{name}", f"is not of the kind {kind}", EXPECTED[kind])
        for name, kind in sorted(declared.items())
        if name in values and not is_of_kind(values[name], kind)
    ]
    if errors:
        raise ValuesDoNotFit("The values do not fit the template's placeholders; see errors.", errors=errors)


def must_be_written_by_hand(declared: Mapping[str, ValueKind]) -> None:
    """Raise ValuesDoNotFit for a template with lines: they are facts of a sender, and nobody makes them up."""
    lines = sorted(name for name, kind in declared.items() if kind == ValueKind.LINES)
    if lines:
        errors = [FieldError(f"values.{name}", "only a service makes lines", "a template without") for name in lines]
        raise ValuesDoNotFit("The template is not for messages by hand; see errors.", errors=errors)


def is_of_kind(value: Any, kind: ValueKind) -> bool:
    """Whether a value of a message is what a placeholder takes.

    >>> [is_of_kind(value, ValueKind.DATE) for value in ("2026-02-28", "2026-02-30", "28/02/2026", 5)]
    [True, False, False, False]
    >>> [is_of_kind(value, ValueKind.PENCE) for value in (500, 0, -500, "500", 5.0, True)]
    [True, True, False, False, False, False]
    >>> [is_of_kind(value, ValueKind.TEXT) for value in ("ten", " ", 10)]
    [True, False, False]
    """
    match kind:
        case ValueKind.TEXT:
            return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_TEXT and is_sendable(value)
        case ValueKind.DATE:
            return isinstance(value, str) and _is_date(value)
        case ValueKind.PENCE:
            return type(value) is int and 0 <= value <= MAX_PENCE
        case ValueKind.COUNT:
            return type(value) is int and 0 <= value <= MAX_COUNT
        case ValueKind.LINES:
            return isinstance(value, list)


def _is_date(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return text == day.isoformat() and EARLIEST <= day <= LATEST
