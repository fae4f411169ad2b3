"""When a debt gets which notice, and the states of runs, items and notices.

`next_step` is the rule; `selection.py` restates it as one statement over all debts, and a test holds both together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from council_common.errors import Conflict, FieldError, IllegalMove, Malformed
from council_common.money import Money

from debt_service.ledger.receivables.rules import ReceivableStatus
from debt_service.recovery.dunning_procedures.rules import Ladder, Level


class RunStatus(StrEnum):
    """Where a run is; `issuing` from its approval until the last of its notices is issued."""

    PROPOSED = "proposed"
    ISSUING = "issuing"
    ISSUED = "issued"
    CANCELLED = "cancelled"


NEXT: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PROPOSED: frozenset({RunStatus.ISSUING, RunStatus.CANCELLED}),
    # What is issued stays issued: a run that is cancelled here leaves the rest of its debts alone.
    RunStatus.ISSUING: frozenset({RunStatus.ISSUED, RunStatus.CANCELLED}),
    RunStatus.ISSUED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class ItemState(StrEnum):
    """An item that is `proposed` is open: no other run proposes the same debt."""

    PROPOSED = "proposed"
    SKIPPED = "skipped"
    EXCLUDED = "excluded"
    DROPPED = "dropped"
    ISSUED = "issued"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    """How far a notice got; delivered and failed are final."""

    ISSUED = "issued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


# A failed notice may be sent again by another message; a delivered one stays delivered. Whether a failed notice had
# left is its `sent_on`: one that never left is no step on the ladder.
NEXT_DELIVERY: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    DeliveryStatus.ISSUED: frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
    DeliveryStatus.SENT: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}),
    DeliveryStatus.FAILED: frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED}),
    DeliveryStatus.DELIVERED: frozenset(),
}
UNDER_WAY = frozenset({DeliveryStatus.ISSUED, DeliveryStatus.SENT})


class Reason(StrEnum):
    """Why a debt gets no notice; holds add their kind: `on_hold:dispute`."""

    NO_PROCEDURE = "no_procedure"
    TOP_LEVEL_REACHED = "top_level_reached"
    NOT_DUE_YET = "not_due_yet"
    ON_HOLD = "on_hold"
    CUSTOMER_SUPPRESSED = "customer_suppressed"
    PREVIOUS_NOT_DELIVERED = "previous_not_delivered"
    UNDELIVERABLE = "undeliverable"
    INTERVAL_NOT_ELAPSED = "interval_not_elapsed"
    MONEY_ON_ACCOUNT = "money_on_account"
    BELOW_MINIMUM = "below_minimum"
    IN_ANOTHER_PROPOSAL = "in_another_proposal"
    # Nothing is owed; in a run only between proposal and approval, as are the last two:
    SETTLED = "settled"
    CANCELLED = "cancelled"
    LEVEL_CHANGED = "level_changed"
    EXCLUDED_BY_OFFICER = "excluded_by_officer"


# The calendar alone explains these: a run keeps their debts by the reason, and no row for each.
COUNTED_ONLY = (Reason.NO_PROCEDURE, Reason.TOP_LEVEL_REACHED, Reason.NOT_DUE_YET, Reason.INTERVAL_NOT_ELAPSED)

# A message that failed for these reasons says that its address is unusable: every other would fail, too, until an
# officer corrects the address or says that it works again (OCA/credit-control#447: a blacklisted address was written to
# for ever).
NO_USABLE_ADDRESS = ("no_address", "address_invalid", "address_refused", "address_busy", "recipient_unknown")


class NoSuchDebts(Malformed):
    """No debt has this department or type."""

    code = "no-such-debts"


class ItemNotOpen(Conflict):
    """The item is not proposed any more."""

    code = "dunning-item-not-open"


class IssueDay(Malformed):
    """Notices cannot be dated on this day."""

    code = "issue-day"


@dataclass(frozen=True, slots=True)
class DunningFacts:
    """What is known about one debt on a day; the schedule is computed from nothing else, no next check is stored.

    The last level and notice are those of the latest notice that left or may still leave. `unsent_on` is the issue day
    of the last notice of the next level that never left, and `unreachable_by` the channels by which the customer cannot
    be written to, as their address failed. `recorded_on` is the London day this service recorded the debt, and
    `on_account_pence` what the council holds of the customer's money.
    """

    outstanding_pence: int
    due_on: date
    last_level: int = 0
    last_notice_on: date | None = None
    last_notice_sent_on: date | None = None
    status: ReceivableStatus = ReceivableStatus.OVERDUE
    hold_reason: str | None = None
    suppressed: bool = False
    notice_under_way: bool = False
    in_another_proposal: bool = False
    recorded_on: date = date.min
    unsent_on: date | None = None
    unreachable_by: frozenset[str] = frozenset()
    on_account_pence: int = 0


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next notice, or why there is none; and what the council holds of the customer's money."""

    level: Level | None
    reason: str | None
    days_overdue: int
    on_account_pence: int = 0


def interval_began_on(
    last_notice_on: date | None, last_notice_sent_on: date | None, *, recorded_on: date, as_at: date
) -> date | None:
    """The day the interval since the last notice counts from.

    The later of the day it is dated and the day it left, so that dating runs back brings no notice forward:

    >>> day = date(2026, 3, 15)
    >>> interval_began_on(date(2026, 3, 1), date(2026, 3, 20), recorded_on=date(2026, 2, 1), as_at=day)
    datetime.date(2026, 3, 20)

    Only a replay, a run as at a day before this service knew the debt, does not see what left after its day:

    >>> interval_began_on(date(2026, 3, 1), date(2026, 11, 22), recorded_on=date(2026, 11, 22), as_at=day)
    datetime.date(2026, 3, 1)
    """
    is_replay = recorded_on > as_at
    if last_notice_sent_on is not None and is_replay and last_notice_sent_on > as_at:
        last_notice_sent_on = None
    return max((day for day in (last_notice_on, last_notice_sent_on) if day is not None), default=None)


def next_step(facts: DunningFacts, ladder: Ladder | None, *, as_at: date) -> NextStep:
    """The next notice of a debt on a day: one level up at most.

    It is due only if the debt is overdue long enough, the last notice was sent long enough ago, nothing holds the
    debt, the last notice arrived or failed for good, enough is owed, and more than the council holds of the customer's
    money. A notice of this level that never left is
    issued again after the level's interval, a day at the least, but never to an address that could not be used.

    Source: council policy after SAP F150 (interval since the last notice, minimum per level), OCA/credit-control#122
    (never beside an open notice) and #447 (unusable addresses).
    """
    days = (as_at - facts.due_on).days
    if facts.outstanding_pence == 0:
        return NextStep(None, facts.status, days, facts.on_account_pence)
    if ladder is None:
        return NextStep(None, Reason.NO_PROCEDURE, days, facts.on_account_pence)
    level = ladder.level_after(facts.last_level)
    return NextStep(level, _reason_against(facts, level, days, as_at), days, facts.on_account_pence)


def _reason_against(facts: DunningFacts, level: Level | None, days: int, as_at: date) -> str | None:
    checks = (
        (level is None, Reason.TOP_LEVEL_REACHED),
        (level is not None and days < level.days_overdue, Reason.NOT_DUE_YET),
        (facts.hold_reason is not None, f"{Reason.ON_HOLD}:{facts.hold_reason}"),
        (facts.suppressed, Reason.CUSTOMER_SUPPRESSED),
        (facts.notice_under_way, Reason.PREVIOUS_NOT_DELIVERED),
        (level is not None and level.channel in facts.unreachable_by, Reason.UNDELIVERABLE),
        (level is not None and _too_soon(facts, level, as_at), Reason.INTERVAL_NOT_ELAPSED),
        (facts.outstanding_pence <= facts.on_account_pence, Reason.MONEY_ON_ACCOUNT),
        (level is not None and facts.outstanding_pence < level.minimum_pence, Reason.BELOW_MINIMUM),
        (facts.in_another_proposal, Reason.IN_ANOTHER_PROPOSAL),
    )
    return next((str(reason) for applies, reason in checks if applies), None)


def _too_soon(facts: DunningFacts, level: Level, as_at: date) -> bool:
    began = interval_began_on(
        facts.last_notice_on, facts.last_notice_sent_on, recorded_on=facts.recorded_on, as_at=as_at
    )
    since_last = began is not None and (as_at - began).days < level.interval_days
    return since_last or (facts.unsent_on is not None and (as_at - facts.unsent_on).days < max(level.interval_days, 1))


def rule_in_words(level: Level) -> str:
    """The rule of a level as a sentence, part of a notice's explanation.

    >>> from debt_service.recovery.dunning_procedures.rules import LevelChannel
    >>> rule_in_words(Level(2, 8, 7, "reminder", LevelChannel.PREFERRED, 500, False))
    'Level 2 (reminder): at least 8 days overdue, 7 days since the last notice, £5.00 owed.'
    """
    return (
        f"Level {level.level} ({level.template}): at least {level.days_overdue} days overdue, "
        f"{level.interval_days} days since the last notice, {Money(level.minimum_pence)} owed."
    )


def must_be_proposed(status: RunStatus, wanted: str) -> None:
    """Raise IllegalMove for a run that was approved or cancelled."""
    if status != RunStatus.PROPOSED:
        raise IllegalMove("The dunning run", status, wanted)


def issue_day(requested: date | None, *, as_at: date, today: date) -> date:
    """The day notices are dated: today, or the requested day between the proposal's and today; raises IssueDay."""
    day = requested or today
    if not as_at <= day <= today:
        errors = [FieldError("issued_on", "is before the run's as_at or after today", f"from {as_at} to {today}")]
        raise IssueDay("Notices are dated between the day of the proposal and today.", errors=errors)
    return day


NOTHING_ISSUED: dict[str, Any] = {"issued": 0, "by_level": [], "dropped": {}}
"""The outcome of a run that was just approved."""


def outcome_with(outcome: dict[str, Any], items: Iterable[tuple[int, str | None]]) -> dict[str, Any]:
    """A run's outcome with some more items closed: the level of each, and why it was dropped, if it was.

    >>> outcome_with(NOTHING_ISSUED, [(1, None), (2, None), (1, "settled")])
    {'issued': 2, 'by_level': [{'level': 1, 'notices': 1}, {'level': 2, 'notices': 1}], 'dropped': {'settled': 1}}
    """
    issued = Counter({row["level"]: row["notices"] for row in outcome["by_level"]})
    dropped = Counter(outcome["dropped"])
    for level, reason in items:
        if reason is None:
            issued[level] += 1
        else:
            dropped[reason] += 1
    by_level = [{"level": level, "notices": issued[level]} for level in sorted(issued)]
    return {"issued": issued.total(), "by_level": by_level, "dropped": dict(sorted(dropped.items()))}
