"""Kinds of hold and when one is in force (receivables.md §1.5 D3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.errors import Conflict, FieldError, Malformed, NotFound


class HoldKind(StrEnum):
    """Why a debt is not pursued; breathing space by law (SI 2020/1311), the others by policy."""

    DISPUTE = "dispute"
    BREATHING_SPACE = "breathing_space"
    ARRANGEMENT = "arrangement"
    VULNERABILITY = "vulnerability"
    INSOLVENCY = "insolvency"
    DECEASED = "deceased"
    SERVICE_QUERY = "service_query"


class HoldNotFound(NotFound):
    code = "hold-not-found"


class HoldReleased(Conflict):
    code = "hold-released"


class NothingOwed(Conflict):
    """A hold on a debt that is settled or cancelled holds nothing."""

    code = "nothing-owed"


class HoldDates(Malformed):
    code = "hold-dates"


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold as somebody asks for it: on one receivable, or on all of a customer."""

    receivable_id: UUID | None
    customer_id: UUID | None
    kind: HoldKind
    reason: str
    owner: str
    review_on: date
    ends_on: date | None


def check_dates(new: NewHold, *, today: date) -> None:
    """Raise HoldDates for a hold that would be over, or be looked at, before it begins."""
    for name, day in (("review_on", new.review_on), ("ends_on", new.ends_on)):
        if day is not None and day < today:
            errors = [FieldError(name, "lies in the past", f"not before {today}")]
            raise HoldDates(f"{name} of a hold lies in the past.", errors=errors)


def in_force(*, released: bool, ends_on: date | None, as_at: date) -> bool:
    """Whether a hold stops letters on a day; its last day counts.

    >>> in_force(released=False, ends_on=date(2026, 4, 30), as_at=date(2026, 5, 1))
    False
    """
    return not released and (ends_on is None or ends_on >= as_at)
