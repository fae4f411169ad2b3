"""The case a bank-account change must win: three people, an old telephone number, a cooling-off.

Sources: call back on details already held, never on those in the request (Suffolk County Council, "Mandate fraud",
23 May 2023); separate duties, dual authorisation and an amendment form (NHS London Procurement Partnership, "Supporting
the NHS Counter Fraud Authority"). States and lengths of time are the council's policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from council_common import errors
from council_common.calendar import add_working_days
from council_common.errors import Conflict, FieldError, Malformed
from council_common.identity.actor import Actor

from supplier_service.bank_accounts.rules import BankDetails


class BankAccountChangeStatus(StrEnum):
    """Where a case stands. `approved` is the cooling-off; `active` and `rejected` are ends."""

    REQUESTED = "requested"
    EVIDENCE = "evidence"
    CALLED_BACK = "called_back"
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"


NEXT: Mapping[BankAccountChangeStatus, frozenset[BankAccountChangeStatus]] = {
    BankAccountChangeStatus.REQUESTED: frozenset({BankAccountChangeStatus.EVIDENCE, BankAccountChangeStatus.REJECTED}),
    BankAccountChangeStatus.EVIDENCE: frozenset(
        {BankAccountChangeStatus.EVIDENCE, BankAccountChangeStatus.CALLED_BACK, BankAccountChangeStatus.REJECTED}
    ),
    # More evidence does not undo a call-back; a later call that is not confirmed does.
    BankAccountChangeStatus.CALLED_BACK: frozenset(
        {
            BankAccountChangeStatus.EVIDENCE,
            BankAccountChangeStatus.CALLED_BACK,
            BankAccountChangeStatus.APPROVED,
            BankAccountChangeStatus.REJECTED,
        }
    ),
    BankAccountChangeStatus.APPROVED: frozenset({BankAccountChangeStatus.ACTIVE, BankAccountChangeStatus.REJECTED}),
    BankAccountChangeStatus.ACTIVE: frozenset(),
    BankAccountChangeStatus.REJECTED: frozenset(),
}

OPEN = frozenset(status for status, following in NEXT.items() if following)
"""While a case is open every payment to its supplier is held."""


class RequestedVia(StrEnum):
    """How the request reached the council: what an investigator asks first."""

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
    """What the supplier said when called on the old number.

    No caller sends `another_account`: it is what becomes of a confirmation by another account than the one requested.
    """

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    ANOTHER_ACCOUNT = "another_account"


class BankAccountChangeOpen(Conflict):
    """The supplier has an open case: finish that one first."""

    code = "bank-account-change-open"


class BankAccountUnchanged(Conflict):
    """The account requested is the one in use."""

    code = "bank-account-unchanged"


class SupplierEnded(Conflict):
    """A merged or closed supplier is not paid to any account."""

    code = "supplier-ended"


class NumberNotTrusted(Conflict):
    """The call-back used a number that is too new, changed in this case, or not held."""

    code = "call-back-number-not-trusted"


class AccountNotReadOut(Malformed):
    """A confirmed call says which account the supplier read out."""

    code = "account-not-read-out"


class TooManyWrongReadOuts(Conflict):
    """Other accounts than the one requested were read out too often: the case can only be rejected."""

    code = "too-many-wrong-read-outs"


class SupplierNotWarned(Conflict):
    """No e-mail address was there to warn, and the approver does not say how else the supplier was warned."""

    code = "supplier-not-warned"


@dataclass(frozen=True, slots=True)
class Control:
    """The council's rule from a day on.

    `phone_held_days`: how long a number must have been held; `cooling_off_working_days`; `removed_email_days`: how
    long an e-mail address that is held no more is still warned, so that removing the old contact first is no use;
    `name_held_days`: how long a supplier's name must have been held to say anything about an account's holder;
    `wrong_read_outs`: after how many the account cannot be found out by trying any more.
    """

    effective_from: date
    phone_held_days: int
    cooling_off_working_days: int
    removed_email_days: int
    name_held_days: int
    wrong_read_outs: int
    source: str


CONTROLS = (
    Control(
        effective_from=date(2000, 1, 1),
        phone_held_days=90,
        cooling_off_working_days=3,
        removed_email_days=90,
        name_held_days=90,
        wrong_read_outs=3,
        source="council policy, no statute: numbers, contacts and names held for 90 days, three read-outs, and a "
        "cooling-off of three working days with notice to the old contacts",
    ),
)


def control_on(day: date) -> Control:
    """The rule in force on a day."""
    return max(
        (control for control in CONTROLS if control.effective_from <= day), key=lambda control: control.effective_from
    )


def move(current: BankAccountChangeStatus, wanted: BankAccountChangeStatus) -> BankAccountChangeStatus:
    """The wanted status where the states allow it; raises IllegalMove."""
    return errors.move(NEXT, current, wanted, thing="The bank-account change")


def after_evidence(current: BankAccountChangeStatus) -> BankAccountChangeStatus:
    """Evidence lifts a new case; later ones stay where they are. Raises IllegalMove once approved or ended."""
    move(current, BankAccountChangeStatus.EVIDENCE)
    return (
        BankAccountChangeStatus.CALLED_BACK
        if current is BankAccountChangeStatus.CALLED_BACK
        else BankAccountChangeStatus.EVIDENCE
    )


def after_call_back(current: BankAccountChangeStatus, outcome: CallBackOutcome) -> BankAccountChangeStatus:
    """A confirmed call opens the way to approval, one that is not confirmed closes it again.

    Raises IllegalMove before there is evidence, and once approved or ended.
    """
    move(current, BankAccountChangeStatus.CALLED_BACK)
    return (
        BankAccountChangeStatus.CALLED_BACK
        if outcome is CallBackOutcome.CONFIRMED
        else BankAccountChangeStatus.EVIDENCE
    )


def must_be_second(caller: Actor, *, requested_by: str) -> None:
    """Raise ApprovesOwnRequest when the caller requested the change: separate duties."""
    caller.must_differ_from(requested_by, what="The call-back")


def must_be_third(approver: Actor, *, requested_by: str, called_by: Iterable[str]) -> None:
    """Raise ApprovesOwnRequest when the approver requested the change or called, also in vain: separate duties."""
    approver.must_differ_from(requested_by, *called_by, what="Approving a bank-account change")


def must_be_trusted(phone_since: date | None, *, requested_on: date, called_on: date) -> None:
    """Raise NumberNotTrusted unless a number was held long enough and before the case began.

    Only a call that confirms needs it. A denial counts on any number: it only stops a payment.

    >>> must_be_trusted(date(2025, 12, 11), requested_on=date(2026, 3, 10), called_on=date(2026, 3, 11))
    """
    days = control_on(called_on).phone_held_days
    if phone_since is None:
        problem, expected = "a contact without a held number", "a contact with a telephone number"
    elif phone_since >= requested_on:
        problem = f"a number held since {phone_since}, no longer than the case"
        expected = f"a number held before {requested_on}"
    elif (called_on - phone_since).days < days:
        problem = f"a number held since {phone_since}, less than {days} days"
        expected = f"another, or this one from {phone_since + timedelta(days=days)}"
    else:
        return
    raise NumberNotTrusted(
        f"Call back on a number that was held for {days} days and not changed since the change was requested.",
        errors=[FieldError("contact_id", problem, expected)],
    )


def outcome_of_read_out(
    read_out: BankDetails | None, *, requested: BankDetails, wrong_before: int, called_on: date
) -> CallBackOutcome:
    """What a call is that the caller says confirmed the change: whether the supplier named the account requested.

    "Did you request a change?" is answered with yes by a supplier who did, whatever account was typed in here.
    Raises AccountNotReadOut; TooManyWrongReadOuts once so many others were read out in this case that the next one
    may be a guess.
    """
    if read_out is None:
        expected = "as the supplier reads it out when called"
        raise AccountNotReadOut(
            "Ask the supplier to read its new account out, and enter it.",
            errors=[FieldError(name, "missing", expected) for name in ("sort_code", "account_number")],
        )
    if wrong_before >= control_on(called_on).wrong_read_outs:
        raise TooManyWrongReadOuts(
            f"Another account was read out {wrong_before} times: reject this change, and find out what the supplier "
            "wants; a new change may follow."
        )
    return CallBackOutcome.CONFIRMED if read_out.same_account(requested) else CallBackOutcome.ANOTHER_ACCOUNT


def name_changed_lately(changed_on: date | None, *, requested_on: date) -> date | None:
    """The day a supplier's name was changed where that is too near to the request for the name to prove anything.

    >>> name_changed_lately(date(2026, 3, 1), requested_on=date(2026, 3, 11))
    datetime.date(2026, 3, 1)
    >>> name_changed_lately(date(2025, 12, 11), requested_on=date(2026, 3, 11))
    """
    if changed_on is None or (requested_on - changed_on).days >= control_on(requested_on).name_held_days:
        return None
    return changed_on


def must_be_warned(*, contacts: int, warned_otherwise: str | None) -> None:
    """Raise SupplierNotWarned where there was no address to warn by e-mail and no word on how else it was done.

    The old contacts get notice of every change: a supplier without an e-mail address is not left in the dark.
    """
    if not contacts and warned_otherwise is None:
        raise SupplierNotWarned(
            "No e-mail address of this supplier was held to warn: warn it another way, and say how.",
            errors=[
                FieldError(
                    "warned_otherwise",
                    "missing",
                    "how it was warned, as by letter to the address held, and on which day",
                )
            ],
        )


class HeldAs(StrEnum):
    """Whether an address was among the contacts when the change was requested, or had been removed before."""

    CURRENT = "current"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ContactToWarn:
    """A contact that is warned of a case: at which address, and since when it is not held any more."""

    name: str
    email: str
    held: HeldAs
    removed_on: date | None = None


def removed_emails_since(day: date) -> date:
    """The first day whose removed addresses are still warned of a change requested on a day.

    >>> removed_emails_since(date(2026, 3, 11))
    datetime.date(2025, 12, 11)
    """
    return day - timedelta(days=control_on(day).removed_email_days)


def contacts_to_warn(contacts: Iterable[ContactToWarn]) -> list[ContactToWarn]:
    """Every address once, whatever its letters' case: the first of several (so the current ones come first)."""
    by_email: dict[str, ContactToWarn] = {}
    for contact in contacts:
        by_email.setdefault(contact.email.casefold(), contact)
    return list(by_email.values())


def cooling_off_until(approved_on: date) -> date:
    """The last day of the cooling-off: the account is used from the day after.

    >>> cooling_off_until(date(2026, 3, 11))
    datetime.date(2026, 3, 16)
    """
    return add_working_days(approved_on, control_on(approved_on).cooling_off_working_days)


def may_activate(status: BankAccountChangeStatus, until: date | None, *, today: date) -> bool:
    """Whether an approved case has cooled off."""
    return status == BankAccountChangeStatus.APPROVED and until is not None and today > until
