"""The stages of an onboarding and what makes terms of the early payment programme sensible."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from council_common.errors import Conflict, FieldError, IllegalMove, Malformed, NotFound


class Stage(StrEnum):
    """How far a supplier is on its way on to the programme."""

    PROSPECT = "prospect"
    CONTACTED = "contacted"
    INTERESTED = "interested"
    AGREED = "agreed"
    DECLINED = "declined"


NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.PROSPECT: frozenset({Stage.CONTACTED, Stage.INTERESTED, Stage.AGREED, Stage.DECLINED}),
    Stage.CONTACTED: frozenset({Stage.CONTACTED, Stage.INTERESTED, Stage.AGREED, Stage.DECLINED}),
    Stage.INTERESTED: frozenset({Stage.AGREED, Stage.DECLINED}),
    # New terms replace the old ones; who agreed may leave; who declined may be asked again.
    Stage.AGREED: frozenset({Stage.AGREED, Stage.DECLINED}),
    Stage.DECLINED: frozenset({Stage.CONTACTED, Stage.INTERESTED, Stage.AGREED}),
}


class ActivityKind(StrEnum):
    """What was done to win a supplier."""

    CALL = "call"
    EMAIL = "email"
    LETTER = "letter"
    MEETING = "meeting"
    NOTE = "note"


class NoSuchOnboarding(NotFound):
    """No onboarding has this id."""

    code = "no-such-onboarding"


class OnboardingExists(Conflict):
    """The supplier has an onboarding: go on with that one."""

    code = "onboarding-exists"


class TermsRequired(Malformed):
    """To agree is to agree to terms."""

    code = "terms-required"


class TermsNotExpected(Malformed):
    """Terms belong to the stage `agreed` only."""

    code = "terms-not-expected"


class UnsoundTerms(Malformed):
    """Terms that cannot work."""

    code = "unsound-terms"


class DateInFuture(Malformed):
    """Something is told as done on a day that has not come."""

    code = "date-in-future"


def move(current: Stage, wanted: Stage) -> Stage:
    """The wanted stage where the stages allow it; raises IllegalMove."""
    if wanted not in NEXT[current]:
        raise IllegalMove("The onboarding", current, wanted)
    return wanted


def check_terms_belong(stage: Stage, *, terms_given: bool) -> None:
    """Raise TermsRequired or TermsNotExpected: `agreed` has terms, no other stage has."""
    if stage is Stage.AGREED and not terms_given:
        raise TermsRequired(
            "A supplier agrees to terms: name them.", errors=[FieldError("terms", "missing", "the terms agreed")]
        )
    if stage is not Stage.AGREED and terms_given:
        raise TermsNotExpected(
            f"The stage {stage} takes no terms.",
            errors=[FieldError("terms", "not expected", "terms with the stage agreed only")],
        )


def check_terms(*, term_days: int, target_day: int, reference_rate_percent: Decimal) -> None:
    """Raise UnsoundTerms unless the rate is earned by paying before the term.

    The rebate is base x (reference rate / (term - target day)) x days before the term (payables.md §1.1): a
    target day on or after the term divides by nought or turns the rebate round.

    >>> check_terms(term_days=30, target_day=10, reference_rate_percent=Decimal("1.00"))
    """
    errors = []
    if target_day >= term_days:
        errors.append(FieldError("terms.target_day", "not before the term", f"less than term_days ({term_days})"))
    if reference_rate_percent <= 0:
        errors.append(FieldError("terms.reference_rate_percent", "earns nothing", "more than 0"))
    if errors:
        raise UnsoundTerms("These terms cannot work; see errors.", errors=errors)


def check_not_future(field: str, day: date, *, today: date) -> None:
    """Raise DateInFuture for a day that has not come."""
    if day > today:
        raise DateInFuture(
            "What was done cannot lie in the future.",
            errors=[FieldError(field, "in the future", f"{today.isoformat()} or before")],
        )
