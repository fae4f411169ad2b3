"""Runs, items and notices on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, RequestModel, ShortName
from council_common.long_work.schemas import ProgressOut
from council_common.long_work.tables import Work
from pydantic import BaseModel, Field

from debt_service.ledger.customers.rules import Channel
from debt_service.recovery.dunning_procedures.rules import Ladder, Level
from debt_service.recovery.dunning_runs.issuing import ISSUE_NOTICES
from debt_service.recovery.dunning_runs.rules import DeliveryStatus, ItemState, NextStep, RunStatus, rule_in_words

WOULD_HAVE_STOPPED_IT = (
    "payment in full",
    "a hold",
    "suppression of the customer",
    "exclusion by an officer",
    "a balance below the level's minimum",
    "as much of the customer's money on account",
)


class RunIn(RequestModel):
    """A run over all overdue debts, or those of a department or type; without a procedure each debt follows its own."""

    as_at: Day
    procedure_id: UUID | None = None
    department: ShortName | None = None
    debt_type: ShortName | None = None


class ApprovalIn(RequestModel):
    """The day the notices are dated: today when absent, else from the proposal's day to today."""

    issued_on: Day | None = None


class RunOut(BaseModel):
    """A run. `found` counts what the proposal found, by level and reason; `outcome` what was issued and dropped so far.

    `progress` is that of issuing, from the approval on; its `requested_by` approved the run.
    """

    id: UUID
    version: int
    status: RunStatus
    as_at: date
    procedure_id: UUID | None
    department: str | None
    debt_type: str | None
    found: Annotated[
        dict[str, Any],
        Field(
            description="became_overdue (debts of every kind that this run was first to find overdue); of those "
            "the run is for: overdue, proposed, proposed_pence, by_level[], not_proposed{reason: n}"
        ),
    ]
    outcome: Annotated[
        dict[str, Any], Field(description="issued, by_level[], dropped{reason: n}; empty until approved")
    ]
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    closed_by: str | None
    closed_by_name: str | None
    closed_at: datetime | None
    issued_on: date | None
    progress: ProgressOut | None

    @staticmethod
    def of(run: Any, work: Work | None) -> RunOut:
        """From a stored run, or a row of the list, and the work of issuing it."""
        values = {name: getattr(run, name) for name in RunOut.model_fields if name != "progress"}
        return RunOut(**values, progress=None if work is None else ProgressOut.of(ISSUE_NOTICES, work))


class StateCount(BaseModel):
    """Items of a run in one state, at one level, for one reason."""

    state: ItemState
    level: int
    reason: str | None
    items: int
    outstanding_pence: int


class LevelDifference(BaseModel):
    """How one level's proposals differ from the last run's."""

    level: int
    only_now: int
    only_before: int
    in_both: int
    moved: int


class DifferenceOut(BaseModel):
    """The last run over the same debts, and how this proposal differs."""

    run_id: UUID
    as_at: date
    by_level: list[LevelDifference]


class RunDetailOut(RunOut):
    """A run with its items counted, and its difference from the last run."""

    items: list[StateCount]
    difference: DifferenceOut | None


class ItemEditOut(BaseModel):
    """An edit of an item."""

    action: str
    note: str
    by: str
    by_name: str
    at: datetime


class ItemOut(BaseModel):
    """What a run found of one debt, and its state since. `item_id` in paths is `receivable_id`."""

    run_id: UUID
    receivable_id: UUID
    number: str
    customer_id: UUID
    procedure_id: UUID | None
    level: int
    days_overdue: int
    outstanding_pence: int
    due_on: date
    last_level: int
    last_notice_on: date | None
    on_account_pence: Annotated[
        int | None, Field(description="What the council held of the customer's money; null where it held nothing.")
    ]
    decision: Annotated[str, Field(examples=["proposed"], description="proposed or skipped.")]
    state: ItemState
    reason: str | None

    @classmethod
    def of(cls, item: Any, number: str) -> ItemOut:
        """From a stored item, or a row of the list."""
        return cls(**_of_item(item), number=number)


class ItemDetailOut(ItemOut):
    """An item with its edits."""

    edits: list[ItemEditOut]

    @staticmethod
    def with_edits(item: Any, number: str, edits: Sequence[Mapping[str, Any]]) -> ItemDetailOut:
        """From a stored item and the lines of its run's history that are about it."""
        shown = [ItemEditOut.model_validate(edit) for edit in edits]
        return ItemDetailOut(**_of_item(item), number=number, edits=shown)


def _of_item(item: Any) -> dict[str, Any]:
    computed = {"number", "last_level", "decision"}
    values = {name: getattr(item, name) for name in ItemOut.model_fields if name not in computed}
    decision = "skipped" if item.state == ItemState.SKIPPED else "proposed"
    return {**values, "last_level": item.level - 1, "decision": decision}


class WhyOut(BaseModel):
    """Why this notice was issued: the rule, the facts, and what would have stopped it."""

    rule: str
    procedure_id: UUID
    days_overdue: int
    days_since_last_notice: int | None
    would_have_stopped_it: list[str]


class NoticeOut(BaseModel):
    """A notice with its facts, its rule and its delivery."""

    id: UUID
    run_id: UUID
    receivable_id: UUID
    number: str
    customer_id: UUID
    level: int
    template: str
    channel: Channel
    issued_on: date
    due_on: date
    days_overdue: int
    outstanding_pence: int
    last_notice_on: date | None
    approved_by: str
    approved_by_name: str
    delivery_status: DeliveryStatus
    delivery_at: datetime
    message_id: UUID | None
    failure_reason: str | None
    sent_on: Annotated[date | None, Field(description="The day it left; failed without one, it never did.")]
    why: WhyOut

    @staticmethod
    def of(notice: Any, number: str, ladder: Ladder) -> NoticeOut:
        """From a stored notice, or a row of the list, with its receivable's number and its ladder."""
        since = None if notice.last_notice_on is None else (notice.issued_on - notice.last_notice_on).days
        why = WhyOut(
            rule=rule_in_words(ladder.levels[notice.level - 1]),
            procedure_id=notice.procedure_id,
            days_overdue=notice.days_overdue,
            days_since_last_notice=since,
            would_have_stopped_it=list(WOULD_HAVE_STOPPED_IT),
        )
        values = {name: getattr(notice, name) for name in NoticeOut.model_fields if name not in {"number", "why"}}
        return NoticeOut(**values, number=number, why=why)


class NextNoticeOut(BaseModel):
    """The next notice of a debt on a day, or why there is none; computed from the facts at every call."""

    receivable_id: UUID
    as_at: date
    due: bool
    reason: str | None
    days_overdue: int
    on_account_pence: Annotated[int, Field(description="What the council holds of the customer's money.")]
    level: int | None
    template: str | None
    rule: str | None
    procedure_id: UUID | None

    @staticmethod
    def of(receivable_id: UUID, as_at: date, step: NextStep, ladder: Ladder | None) -> NextNoticeOut:
        level: Level | None = step.level
        return NextNoticeOut(
            receivable_id=receivable_id,
            as_at=as_at,
            due=step.reason is None,
            reason=step.reason,
            days_overdue=step.days_overdue,
            on_account_pence=step.on_account_pence,
            level=level.level if level else None,
            template=level.template if level else None,
            rule=rule_in_words(level) if level else None,
            procedure_id=ladder.id if ladder else None,
        )
