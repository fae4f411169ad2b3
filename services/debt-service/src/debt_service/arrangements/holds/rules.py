"""Reasons for a hold, and when one is in force.

Source: council policy, and for breathing space the Debt Respite Scheme Regulations 2020 (SI 2020/1311).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contracts.debts import HoldCategory
from council_common.errors import Conflict, FieldError, Malformed


class HoldReason(StrEnum):
    """Why a debt is not pursued; breathing space by law (SI 2020/1311), the others by council policy."""

    DISPUTE = "dispute"
    BREATHING_SPACE = "breathing_space"
    ARRANGEMENT = "arrangement"
    VULNERABILITY = "vulnerability"
    INSOLVENCY = "insolvency"
    DECEASED = "deceased"
    SERVICE_QUERY = "service_query"


def published_category(reason: HoldReason) -> HoldCategory:
    """The category a hold's events publish: breathing space binds every creditor (SI 2020/1311), others stay private.

    >>> published_category(HoldReason.BREATHING_SPACE), published_category(HoldReason.DECEASED)
    ('breathing_space', 'other')
    """
    return "breathing_space" if reason == HoldReason.BREATHING_SPACE else "other"


class HoldReleased(Conflict):
    """The hold was released before."""

    code = "hold-already-released"


class NothingOwed(Conflict):
    """A hold on a debt that is settled or cancelled holds nothing."""

    code = "nothing-owed"


class HoldDates(Malformed):
    code = "hold-dates"


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be placed: on one receivable, or on everything of a customer."""

    receivable_id: UUID | None
    customer_id: UUID | None
    reason: HoldReason
    note: str
    owner: str
    review_on: date
    ends_on: date


def check_dates(new: NewHold, *, today: date) -> None:
    """Raise HoldDates where the review day is in the past or the last day is before it.

    A hold has both days (council policy): it goes on only by another hold, placed after a review.
    """
    if new.review_on < today:
        errors = [FieldError("review_on", "is in the past", f"not before {today}")]
        raise HoldDates("review_on of a hold is in the past.", errors=errors)
    if new.ends_on < new.review_on:
        errors = [FieldError("ends_on", "is before review_on", f"not before {new.review_on}")]
        raise HoldDates("A hold is reviewed before it ends.", errors=errors)


def in_force(*, released: bool, ends_on: date, as_at: date) -> bool:
    """Whether a hold stops notices on a day, its last day included. `store.reason_in_force` restates it in SQL.

    >>> in_force(released=False, ends_on=date(2026, 4, 30), as_at=date(2026, 5, 1))
    False
    """
    return not released and ends_on >= as_at
