"""Reasons for a hold, and when one is in force.

Source: council policy, and for breathing space the Debt Respite Scheme Regulations 2020 (SI 2020/1311).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contracts.debts import HoldCategory
from council_common.errors import Conflict, FieldError, Malformed, in_order, not_too_early


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


OF_THE_PERSON = frozenset({HoldReason.BREATHING_SPACE, HoldReason.DECEASED})
"""What is true of a person and not of one debt: such a hold stops the notices of all the customer's debts."""
OF_HEALTH = frozenset({HoldReason.VULNERABILITY, HoldReason.BREATHING_SPACE})
"""Whose words may be about health, that of a mental health crisis among them: special-category data (UK GDPR art 9)."""
WITHOUT_LAST_DAY = frozenset({HoldReason.BREATHING_SPACE, HoldReason.DECEASED})
"""A death does not end; the end of a mental health crisis moratorium is not known when it begins."""


def holds_all(reason: HoldReason, *, receivable_id: UUID | None) -> bool:
    """Whether a hold reaches everything of its customer, also what is raised later. `tables.HOLDS_ALL` in SQL.

    Whoever has died is asked for nothing. A moratorium covers the qualifying debts of a person (SI 2020/1311 reg 6 and
    7), and a creditor who is notified of it searches for those the notice does not name: until somebody has judged that
    a debt is outside, nothing enforces it.

    >>> debt = UUID("0195a1b2-0000-7000-8000-000000000001")
    >>> holds_all(HoldReason.DECEASED, receivable_id=debt), holds_all(HoldReason.DISPUTE, receivable_id=debt)
    (True, False)
    """
    return receivable_id is None or reason in OF_THE_PERSON


def shown_note(reason: HoldReason, note: str | None) -> str | None:
    """What everybody who reads debts sees of a hold's words: where they may be about health, nothing.

    >>> shown_note(HoldReason.VULNERABILITY, "In hospital"), shown_note(HoldReason.DISPUTE, "Bins not collected")
    (None, 'Bins not collected')
    """
    return None if reason in OF_HEALTH else note


class NothingOwed(Conflict):
    """A hold on a debt that is settled or cancelled holds nothing."""

    code = "nothing-owed"


class LastDay(Malformed):
    """The hold needs a last day, or cannot have one."""

    code = "hold-last-day"


@dataclass(frozen=True, slots=True)
class NewHold:
    """A hold to be placed: on one receivable, or on everything of a customer."""

    receivable_id: UUID | None
    customer_id: UUID | None
    reason: HoldReason
    note: str
    owner: str
    review_on: date
    ends_on: date | None


def check_dates(new: NewHold, *, today: date) -> None:
    """Raise DateTooEarly for a review day in the past, DatesOutOfOrder for a last day before it, LastDay.

    A hold has both days (council policy): it goes on only by another hold, placed after a review. One for a death has
    no last day, for no letter to the dead leaves because a day is over: an officer releases what was recorded in error.
    A breathing space in a mental health crisis ends when its adviser says so.
    """
    not_too_early("review_on", new.review_on, today, before="today")
    if new.ends_on is None:
        if new.reason not in WITHOUT_LAST_DAY:
            wrong = FieldError("ends_on", "missing", "the last day of the hold")
            raise LastDay("The hold has no last day.", errors=[wrong])
        return
    if new.reason is HoldReason.DECEASED:
        wrong = FieldError("ends_on", "a death has no last day", "nothing")
        raise LastDay("A hold for a death ends only when an officer releases it.", errors=[wrong])
    in_order(review_on=new.review_on, ends_on=new.ends_on)


def in_force(*, released: bool, ends_on: date | None, as_at: date) -> bool:
    """Whether a hold stops notices on a day, its last day included. `store.reason_in_force` restates it in SQL.

    >>> in_force(released=False, ends_on=date(2026, 4, 30), as_at=date(2026, 5, 1))
    False
    >>> in_force(released=False, ends_on=None, as_at=date(2026, 5, 1))
    True
    """
    return not released and (ends_on is None or ends_on >= as_at)
