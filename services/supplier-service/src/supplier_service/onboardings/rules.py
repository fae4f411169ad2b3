"""The stages of an onboarding and what makes terms of the early payment programme sensible."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from council_common.contracts.early_payment import unsound_terms
from council_common.errors import Conflict, FieldError, Malformed


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
    # New terms replace the old ones; a supplier that agreed may leave, one that declined may be asked again.
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


class NotOfThisStage(Malformed):
    """A fact that the stage does not have: it would be lost."""

    code = "not-of-this-stage"


def check_facts_belong(stage: Stage, *, terms_given: bool, reason_given: bool, on_given: bool) -> None:
    """Raise TermsRequired, TermsNotExpected or NotOfThisStage.

    `agreed` has terms and no other stage has; a reason is one for declining; a prospect has reached nothing yet.
    """
    if stage is Stage.AGREED and not terms_given:
        raise TermsRequired(
            "A supplier agrees to terms: name them.", errors=[FieldError("terms", "missing", "the terms agreed")]
        )
    if stage is not Stage.AGREED and terms_given:
        raise TermsNotExpected(
            f"The stage {stage} takes no terms.",
            errors=[FieldError("terms", "not expected", "terms with the stage agreed only")],
        )
    errors = []
    if reason_given and stage is not Stage.DECLINED:
        errors.append(FieldError("reason", "not expected", "a reason with the stage declined only; else a note"))
    if on_given and stage is Stage.PROSPECT:
        errors.append(FieldError("on", "not expected", "a day with a stage that was reached"))
    if errors:
        raise NotOfThisStage(f"The stage {stage} does not take this; see errors.", errors=errors)


def check_terms(*, term_days: int, target_day: int, reference_rate_percent: Decimal) -> None:
    """Raise UnsoundTerms for terms that rebate-service could not earn by: both ask the one check of the contracts.

    >>> check_terms(term_days=30, target_day=10, reference_rate_percent=Decimal("1.00"))
    """
    errors = unsound_terms(
        term_days=term_days, target_day=target_day, reference_rate_percent=reference_rate_percent, at="terms."
    )
    if errors:
        raise UnsoundTerms("These terms cannot work; see errors.", errors=errors)


def earliest_day(stage: Stage, *, stage_on: date, agreed_on: date | None) -> date | None:
    """The first day the next stage may be reached: not before the present one, nor before its terms were agreed.

    None after a prospect: its day is the one it was written down on, and an earlier stage may be recorded later.
    """
    days = [stage_on] if stage is not Stage.PROSPECT else []
    return max([*days, agreed_on] if agreed_on else days, default=None)


def day_reached(on: date | None, *, agreed_on: date | None, earliest: date | None, today: date) -> date:
    """The day of a stage: as stated; where none is, the day of the terms agreed, else today.

    An agreement of February that is written down in November began in February: else the supplier could not leave
    before November.

    >>> day_reached(None, agreed_on=date(2026, 2, 1), earliest=None, today=date(2026, 11, 22))
    datetime.date(2026, 2, 1)
    """
    if on is not None:
        return on
    return max(agreed_on, earliest or agreed_on) if agreed_on else today
