"""A ladder: its levels, what makes one valid, and which one applies to a debt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contracts.message_values import Sender
from council_common.errors import Conflict, FieldError, Malformed

from debt_service.ledger.customers.rules import CustomerKind


class LevelChannel(StrEnum):
    """The channel of a level's notice; `preferred` is the customer's."""

    EMAIL = "email"
    LETTER = "letter"
    PREFERRED = "preferred"


class ProcedureExists(Conflict):
    """There is a version from that day for the same debts: versions are added, never overwritten."""

    code = "dunning-procedure-exists"


class NotInForce(Conflict):
    """The procedure begins after the day of the run."""

    code = "dunning-procedure-not-in-force"


class OtherDebtType(Conflict):
    """The procedure is for another type of debt than the run."""

    code = "dunning-procedure-other-debt-type"


class LevelsOutOfOrder(Malformed):
    code = "levels-out-of-order"


class TemplateNotUsable(Malformed):
    """A level names a template that does not exist, or one that no notice of it could be written by."""

    code = "template-not-usable"


@dataclass(frozen=True, slots=True)
class LetterTemplate:
    """What a ladder needs to know of a message template: its channels, which sender fills it in, and whether a second
    person approved it."""

    channels: frozenset[str]
    written_for: str | None
    approved: bool


@dataclass(frozen=True, slots=True)
class Level:
    """One step: so many days overdue, so many days after the last notice, at least so much owed."""

    level: int
    days_overdue: int
    interval_days: int
    template: str
    channel: LevelChannel
    minimum_pence: int
    stops: bool


@dataclass(frozen=True, slots=True)
class NewProcedure:
    """A version of a procedure to be set up; `source` is the decision it rests on."""

    name: str
    debt_type: str | None
    customer_kind: CustomerKind | None
    effective_from: date
    levels: tuple[Level, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """A version of a procedure: for a type of debt or kind of customer, or for all, from a day on."""

    id: UUID
    debt_type: str | None
    customer_kind: CustomerKind | None
    effective_from: date
    levels: tuple[Level, ...]

    def level_after(self, last_level: int) -> Level | None:
        """The next level: never more than one up (OCA/credit-control#35: skipped levels were too hard to explain)."""
        return self.levels[last_level] if last_level < len(self.levels) else None


def check_levels(levels: Sequence[Level]) -> None:
    """Raise LevelsOutOfOrder unless levels count from 1, days rise, notices are days apart and only the last stops."""
    for position, level in enumerate(levels, start=1):
        name = f"levels.{position - 1}"
        if level.level != position:
            raise _out_of_order(f"{name}.level", "levels count from 1 without gaps", str(position))
        if position > 1 and level.days_overdue <= levels[position - 2].days_overdue:
            expected = f"more than {levels[position - 2].days_overdue}"
            raise _out_of_order(f"{name}.days_overdue", "days overdue rise from level to level", expected)
        if position > 1 and level.interval_days < 1:
            # A mail server accepts a notice within a second: without an interval two would leave on one day.
            raise _out_of_order(
                f"{name}.interval_days", "two notices would leave on one day", "at least 1 from the second level on"
            )
        if level.stops and position < len(levels):
            raise _out_of_order(f"{name}.stops", "a ladder cannot go on after it stops", "true on the last level only")


def check_templates(levels: Sequence[Level], templates: Mapping[str, LetterTemplate]) -> None:
    """Raise TemplateNotUsable unless every level's template exists and a notice of it can be written by it.

    An e-mail notice needs a letter, too: who has no e-mail address is written to by post.
    """
    errors = []
    for position, level in enumerate(levels):
        field, template = f"levels.{position}.template", templates.get(level.template)
        if template is None:
            errors.append(FieldError(field, "there is no message template of this name", "an existing one"))
            continue
        if template.written_for != Sender.DUNNING_NOTICE:
            errors.append(
                FieldError(field, "no dunning notice fills it in", f"one written for a {Sender.DUNNING_NOTICE}")
            )
        if not template.approved:
            errors.append(FieldError(field, "no second person has approved its words", "an approved one"))
        if missing := sorted(_channels_of(level) - template.channels):
            problem = f"it has no {' and no '.join(missing)}"
            errors.append(FieldError(field, problem, f"a template for {' and '.join(sorted(_channels_of(level)))}"))
    if errors:
        raise TemplateNotUsable("Notices could not be written by these templates; see errors.", errors=errors)


def _channels_of(level: Level) -> frozenset[str]:
    return frozenset({"letter"} if level.channel is LevelChannel.LETTER else {"email", "letter"})


def _out_of_order(field: str, problem: str, expected: str) -> LevelsOutOfOrder:
    return LevelsOutOfOrder(f"{problem.capitalize()}.", errors=[FieldError(field, problem, expected)])


def check_run(ladder: Ladder, *, debt_type: str | None, as_at: date) -> None:
    """Raise NotInForce or OtherDebtType for a run that names a procedure it cannot follow."""
    if ladder.effective_from > as_at:
        errors = [FieldError("procedure_id", "begins after as_at", f"as_at from {ladder.effective_from}")]
        raise NotInForce(f"The procedure is in force from {ladder.effective_from}.", errors=errors)
    if None not in {ladder.debt_type, debt_type} and ladder.debt_type != debt_type:
        errors = [FieldError("debt_type", "is not the procedure's", f"{ladder.debt_type}, or none")]
        raise OtherDebtType(f"The procedure is for {ladder.debt_type} debts.", errors=errors)


def applying(ladders: Iterable[Ladder], *, debt_type: str, customer_kind: str, as_at: date) -> Ladder | None:
    """The ladder of a debt on a day, None where there is none.

    The one for its type comes before the one for its customer's kind before the one for all; of several versions the
    newest in force applies.
    """
    fitting = [
        ladder
        for ladder in ladders
        if ladder.effective_from <= as_at
        and ladder.debt_type in {None, debt_type}
        and ladder.customer_kind in {None, customer_kind}
    ]
    return max(
        fitting,
        key=lambda ladder: (ladder.debt_type is not None, ladder.customer_kind is not None, ladder.effective_from),
        default=None,
    )
