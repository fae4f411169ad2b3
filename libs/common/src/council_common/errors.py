"""Errors the business knows. Each carries a stable code; HTTP maps them to problem+json last (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import Any, ClassVar, Self, TypeVar


@dataclass(frozen=True)
class FieldError:
    """What was wrong with one field: which, what, and what would be right. Never holds the refused value."""

    field: str
    problem: str
    expected: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class BusinessError(Exception):
    """A rule refused. `code` is stable and documented; `detail` is a sentence for a person.

    `extra` members go into the problem document as they are: never bank details or personal data.
    """

    status: ClassVar[int] = 409
    code: str = "refused"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = extra


class Malformed(BusinessError):
    """The request is invalid, whatever is stored."""

    status = 422
    code = "malformed"


class DateRefused(Malformed):
    """A date is one that it cannot be: `problem` says why, `expected` what would be right."""

    def __init__(self, *fields: str, problem: str, expected: str) -> None:
        super().__init__(f"{fields[0]} {problem}.", errors=[FieldError(field, problem, expected) for field in fields])


class DateInFuture(DateRefused):
    """What was done is dated after today."""

    code = "date-in-future"

    def __init__(self, *fields: str, today: date) -> None:
        super().__init__(*fields, problem="is in the future", expected=f"{today} or earlier")


class DateTooEarly(DateRefused):
    """A date is before one that stands: today, or that of what it follows."""

    code = "date-too-early"

    def __init__(self, field: str, earliest: date, *, before: str) -> None:
        super().__init__(field, problem=f"is before {before}", expected=f"{earliest} or later")


class DatesOutOfOrder(DateRefused):
    """Two dates of one request contradict each other."""

    code = "dates-out-of-order"


def not_in_future(field: str, day: date, *, today: date) -> None:
    """Raise DateInFuture for a day after today."""
    if day > today:
        raise DateInFuture(field, today=today)


def not_too_early(field: str, day: date, earliest: date, *, before: str) -> None:
    """Raise DateTooEarly for a day before the earliest, which is that of `before`."""
    if day < earliest:
        raise DateTooEarly(field, earliest, before=before)


def in_order(**days: date) -> None:
    """Raise DatesOutOfOrder where a day is before the one named in front of it.

    >>> in_order(start=date(2026, 3, 1), end=date(2026, 3, 1))
    """
    for (first, one), (second, other) in pairwise(days.items()):
        if other < one:
            raise DatesOutOfOrder(second, problem=f"is before {first}", expected=f"{one} or later")


class Conflict(BusinessError):
    """The state of the thing, or a rule, forbids it."""

    status = 409
    code = "conflict"


class NotFound(BusinessError):
    """There is no such thing."""

    status = 404
    code = "not-found"

    @classmethod
    def of(cls, noun: str, **extra: Any) -> Self:
        """Of a kind of thing: the code is `<noun>-not-found` everywhere.

        >>> NotFound.of("dunning run").code
        'dunning-run-not-found'
        """
        error = cls(f"There is no {noun} with this id.", **extra)
        error.code = f"{noun.replace(' ', '-').replace('_', '-')}-not-found"
        return error


class Forbidden(BusinessError):
    """The caller may not do this."""

    status = 403
    code = "forbidden"


class Unauthenticated(BusinessError):
    """No valid bearer token."""

    status = 401
    code = "unauthenticated"


class StaleVersion(BusinessError):
    """`If-Match` names a version that is no longer current."""

    status = 412
    code = "stale-version"


class VersionRequired(BusinessError):
    """A change must say which version it changes."""

    status = 428
    code = "version-required"


class Unavailable(BusinessError):
    """Something this needs is away for the moment; the same request may work later."""

    status = 503
    code = "unavailable"


class ApprovesOwnRequest(Forbidden):
    """Nobody approves their own request."""

    code = "own-request"


class SourceReferenceTaken(Conflict):
    """The source reference names a record with other content; `fields` are those that differ, where that is known."""

    code = "source-reference-taken"

    def __init__(self, noun: str, *, record_id: object = None, fields: Sequence[str] = ()) -> None:
        super().__init__(
            f"This source reference names another {noun}.",
            errors=[
                FieldError("source.reference", "is taken by a record with other content", "a new reference"),
                *(FieldError(name, "differs from that record", "the same content") for name in fields),
            ],
        )
        self.extra |= {"id": str(record_id)} if record_id is not None else {}
        self.extra |= {"fields": list(fields)} if fields else {}


class IllegalMove(Conflict):
    """A state does not lead to the one asked for; names both."""

    code = "illegal-move"

    def __init__(self, thing: str, current: str, wanted: str, **extra: Any) -> None:
        end = "already" if current == wanted else f"and cannot become {wanted}"
        super().__init__(f"{thing} is {current} {end}.", **extra)
        self.extra |= {"current": current, "wanted": wanted}


S = TypeVar("S", bound=Enum)


def move(allowed: Mapping[S, frozenset[S]], current: S, wanted: S, *, thing: str) -> S:
    """The wanted state, where the current one leads to it; raises IllegalMove, which names both.

    >>> class Status(Enum):
    ...     OPEN = "open"
    ...     CLOSED = "closed"
    >>> move({Status.OPEN: frozenset({Status.CLOSED}), Status.CLOSED: frozenset()}, Status.OPEN, Status.CLOSED,
    ...     thing="The case")
    <Status.CLOSED: 'closed'>
    """
    if wanted not in allowed[current]:
        raise IllegalMove(thing, str(current.value), str(wanted.value))
    return wanted
