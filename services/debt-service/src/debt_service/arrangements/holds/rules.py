"""Reasons for a hold, and when one is in force.

Source: council policy, and for breathing space the Debt Respite Scheme Regulations 2020 (SI 2020/1311).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contracts.debts import HoldCategory
from council_common.errors import Conflict, in_order, not_too_early


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


class NothingOwed(Conflict):
    """A hold on a debt that is settled or cancelled holds nothing."""

    code = "nothing-owed"


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
    """Raise DateTooEarly for a review day in the past, DatesOutOfOrder for a last day before it.

    A hold has both days (council policy): it goes on only by another hold, placed after a review.
    """
    not_too_early("review_on", new.review_on, today, before="today")
    in_order(review_on=new.review_on, ends_on=new.ends_on)


def in_force(*, released: bool, ends_on: date, as_at: date) -> bool:
    """Whether a hold stops notices on a day, its last day included. `store.reason_in_force` restates it in SQL.

    >>> in_force(released=False, ends_on=date(2026, 4, 30), as_at=date(2026, 5, 1))
    False
    """
    return not released and ends_on >= as_at
