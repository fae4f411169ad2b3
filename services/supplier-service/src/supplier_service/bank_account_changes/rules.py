"""The case a bank-account change must win: three people, an old telephone number, a cooling-off.

Source: payables.md §4 (call back on details already held [98]; separate duties and dual authorisation [99];
the state machine is derived there). Confirmation of Payee comes as a state between call-back and approval later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from council_common.calendar import add_working_days
from council_common.errors import Conflict, Forbidden, IllegalMove, NotFound


class Status(StrEnum):
    """Where a case stands. `approved` is the cooling-off; `active` and `rejected` are ends."""

    REQUESTED = "requested"
    EVIDENCE = "evidence"
    CALLED_BACK = "called_back"
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"


NEXT: Mapping[Status, frozenset[Status]] = {
    Status.REQUESTED: frozenset({Status.EVIDENCE, Status.REJECTED}),
    Status.EVIDENCE: frozenset({Status.EVIDENCE, Status.CALLED_BACK, Status.REJECTED}),
    # More evidence does not undo a call-back; a later call that is not confirmed does.
    Status.CALLED_BACK: frozenset({Status.EVIDENCE, Status.CALLED_BACK, Status.APPROVED, Status.REJECTED}),
    Status.APPROVED: frozenset({Status.ACTIVE, Status.REJECTED}),
    Status.ACTIVE: frozenset(),
    Status.REJECTED: frozenset(),
}

OPEN = frozenset(status for status, following in NEXT.items() if following)
"""While a case is open every payment to its supplier is held."""


class RequestedVia(StrEnum):
    """How the wish reached the council: what an investigator asks first."""

    EMAIL = "email"
    PHONE = "phone"
    LETTER = "letter"
    PORTAL = "portal"
    IN_PERSON = "in_person"


class EvidenceKind(StrEnum):
    """What supports a case."""

    BANK_LETTER = "bank_letter"
    BANK_STATEMENT = "bank_statement"
    AMENDMENT_FORM = "amendment_form"
    HEADED_LETTER = "headed_letter"
    INVOICE = "invoice"
    OTHER = "other"


class CallBackOutcome(StrEnum):
    """What the supplier said when called on the old number."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class NoSuchBankAccountChange(NotFound):
    """No case has this id."""

    code = "no-such-bank-account-change"


class BankAccountChangeOpen(Conflict):
    """The supplier has an open case: finish that one first."""

    code = "bank-account-change-open"


class BankAccountUnchanged(Conflict):
    """The account asked for is the one in use."""

    code = "bank-account-unchanged"


class SupplierEnded(Conflict):
    """A merged or closed supplier is not paid to any account."""

    code = "supplier-ended"


class NumberNotTrusted(Forbidden):
    """The call-back used a number that is too new, changed in this case, or not held."""

    code = "call-back-number-not-trusted"


@dataclass(frozen=True, slots=True)
class Control:
    """The council's rule from a day on: days a number must have been held, working days of cooling-off."""

    effective_from: date
    phone_held_days: int
    cooling_off_working_days: int
    source: str


CONTROLS = (
    Control(
        effective_from=date(2000, 1, 1),
        phone_held_days=90,
        cooling_off_working_days=3,
        source="payables.md §4: number at least 90 days old, cooling-off 3-5 working days; council policy, no statute",
    ),
)


def control_on(day: date) -> Control:
    """The rule in force on a day."""
    return max(
        (control for control in CONTROLS if control.effective_from <= day), key=lambda control: control.effective_from
    )


def move(current: Status, wanted: Status) -> Status:
    """The wanted status where the states allow it; raises IllegalMove."""
    if wanted not in NEXT[current]:
        raise IllegalMove("The bank-account change", current, wanted)
    return wanted


def add_evidence(current: Status) -> Status:
    """Evidence lifts a new case; later ones stay where they are. Raises IllegalMove once approved or ended."""
    move(current, Status.EVIDENCE)
    return Status.CALLED_BACK if current is Status.CALLED_BACK else Status.EVIDENCE


def call_back(current: Status, outcome: CallBackOutcome) -> Status:
    """A confirmed call opens the way to approval, one that is not confirmed closes it again.

    Raises IllegalMove before there is evidence, and once approved or ended.
    """
    move(current, Status.CALLED_BACK)
    return Status.CALLED_BACK if outcome is CallBackOutcome.CONFIRMED else Status.EVIDENCE


def must_be_trusted(phone_since: date | None, *, requested_on: date, called_on: date) -> None:
    """Raise NumberNotTrusted unless a number was held long enough and before the case began.

    >>> must_be_trusted(date(2025, 12, 11), requested_on=date(2026, 3, 10), called_on=date(2026, 3, 11))
    """
    days = control_on(called_on).phone_held_days
    if phone_since is None or phone_since >= requested_on or (called_on - phone_since).days < days:
        raise NumberNotTrusted(
            f"Call back on a number that was held for {days} days and not changed since the change was asked for."
        )


def cooling_off_until(approved_on: date) -> date:
    """The last day of the cooling-off: the account is used from the day after.

    >>> cooling_off_until(date(2026, 3, 11))
    datetime.date(2026, 3, 16)
    """
    return add_working_days(approved_on, control_on(approved_on).cooling_off_working_days)


def may_activate(status: Status, until: date | None, *, today: date) -> bool:
    """Whether an approved case has cooled off."""
    return status == Status.APPROVED and until is not None and today > until
