"""Kinds of hold and when one is in force (receivables.md §1.5 D3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contracts.debts import HoldCategory
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


def told_as(kind: HoldKind) -> HoldCategory:
    """What a hold's events say of it: breathing space binds everybody (SI 2020/1311), why else is not told.

    >>> told_as(HoldKind.BREATHING_SPACE), told_as(HoldKind.DECEASED)
    ('breathing_space', 'other')
    """
    return "breathing_space" if kind == HoldKind.BREATHING_SPACE else "other"


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
    ends_on: date


def check_dates(new: NewHold, *, today: date) -> None:
    """Raise HoldDates for a hold that would be over, or be looked at, before it begins, or be looked at after its end.

    Both days are always given (D3). A hold goes on by another one, after somebody looked at it.
    """
    if new.review_on < today:
        errors = [FieldError("review_on", "lies in the past", f"not before {today}")]
        raise HoldDates("review_on of a hold lies in the past.", errors=errors)
    if new.ends_on < new.review_on:
        errors = [FieldError("ends_on", "lies before review_on", f"not before {new.review_on}")]
        raise HoldDates("A hold is looked at before it ends.", errors=errors)


def in_force(*, released: bool, ends_on: date, as_at: date) -> bool:
    """Whether a hold stops letters on a day; its last day counts. `store.KIND_IN_FORCE` restates it in SQL.

    >>> in_force(released=False, ends_on=date(2026, 4, 30), as_at=date(2026, 5, 1))
    False
    """
    return not released and ends_on >= as_at
