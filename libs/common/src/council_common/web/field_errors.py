"""A refused field in words for a person: which, what was wrong, what would be right; never the value itself."""

from __future__ import annotations

from typing import Any

from council_common.errors import FieldError
from council_common.fields import PRINTABLE, WITHOUT_NUL

# By the kind pydantic gives an error, or the beginning of it: what is wrong, and what would be right.
_WORDS = {
    "missing": ("missing", "a value"),
    "extra_forbidden": ("no field of this resource", "only the fields of this resource"),
    "date_": ("not a date", "a date such as 2026-01-31"),
    "datetime_": ("not a time", "a time such as 2026-01-31T09:30:00Z"),
    "timezone_aware": ("a time without its zone", "a time such as 2026-01-31T09:30:00Z"),
    "int_": ("not a whole number", "a whole number"),
    "bool_": ("neither true nor false", "true or false"),
    "uuid_": ("not an id", "an id such as 0195a1b2-0000-7000-8000-0000000000e0"),
    "string_type": ("not text", "text"),
    "string_unicode": ("half a character", "text of whole characters"),
    "list_type": ("not a list", "a list"),
    "set_type": ("not a list", "a list"),
    "dict_type": ("not an object", "an object"),
    "model_": ("not an object", "an object"),
    "greater_than_equal": ("too small", "from {ge}"),
    "greater_than": ("too small", "more than {gt}"),
    "less_than_equal": ("too large", "up to {le}"),
    "less_than": ("too large", "less than {lt}"),
    "string_too_long": ("too long", ""),
    "string_too_short": ("too short", ""),
    "too_long": ("too many", "at most {max_length}"),
    "too_short": ("too few", "at least {min_length}"),
    "literal_error": ("none of the known values", "{expected}"),
    "enum": ("none of the known values", "{expected}"),
}
# A field of another pattern has words of its own (fields.Form).
_PATTERNS = {
    PRINTABLE: ("has invisible characters", "text without control, zero-width and text-direction characters"),
    WITHOUT_NUL: ("has a NUL character", "text without it"),
}
_OF_THE_REQUEST = {"body", "query", "path", "header"}


def field_error(detail: Any) -> FieldError:
    """One of pydantic's errors as a field error.

    A validator of ours says both in one sentence: `ValueError("not a sort code; expected 6 digits")`.
    """
    location = [str(part) for part in detail["loc"]]
    if detail["type"] == "json_invalid":
        where = f" at character {location[-1]}" if location[0] == "body" else ""
        return FieldError(location[0], f"not JSON{where}", "JSON (RFC 8259)")
    if len(location) > 1 and location[0] in _OF_THE_REQUEST:
        location = location[1:]
    problem, _, expected = detail["msg"].removeprefix("Value error, ").partition("; expected ")
    if not expected:
        own, expected = _words(detail["type"], detail.get("ctx", {}))
        problem = own or problem
        if expected == "a whole number" and location[-1].endswith("_pence"):
            expected = "whole pence, such as 120000 for £1,200.00"
    if location[-1:] == ["[key]"]:
        location.pop()
        problem = f"its name is wrong: {problem}"
    return FieldError(field=".".join(location), problem=problem, expected=expected or None)


def _words(kind: str, context: dict[str, Any]) -> tuple[str | None, str]:
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], ("not of the right form", ""))
    for beginning in (kind, f"{kind.split('_', 1)[0]}_"):
        if beginning in _WORDS:
            problem, expected = _WORDS[beginning]
            return problem, _bound(kind, context) or expected.format_map(context)
    return None, ""


def _bound(kind: str, context: dict[str, Any]) -> str | None:
    """A bound of days (text here), or of a number of characters: they read otherwise than one of amounts."""
    bound = next(iter(context.values()), None)
    if isinstance(bound, str) and kind.endswith("_equal"):
        return f"{bound} or {'later' if kind.startswith('greater') else 'earlier'}"
    if kind == "string_too_long":
        return f"at most {_characters(bound)}"
    if kind == "string_too_short":
        return f"at least {_characters(bound)}"
    return None


def _characters(number: Any) -> str:
    return "1 character" if number == 1 else f"{number} characters"
