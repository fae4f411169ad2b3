"""Runs, their items, and the notices they issue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ARRAY, BigInteger, Date, Index, SmallInteger, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from debt_service.ledger.customers.rules import Channel
from debt_service.recovery.dunning_runs.rules import DeliveryStatus, ItemState, RunStatus
from debt_service.rows import Row


class DunningRun(Listed, Row, table=True):
    """A run. `found` counts what its proposal found, `outcome` what its approval did."""

    __tablename__ = "dunning_run"
    __table_args__ = (Index(None, "proposed_at", "id"), Index(None, "as_at", "id"))

    id: UUID = Field(primary_key=True)
    version: int
    status: RunStatus = Field(sa_type=EnumText(RunStatus))
    as_at: date
    procedure_id: UUID | None = Field(default=None, foreign_key="dunning_procedure.id")
    department: str | None = Field(default=None, sa_type=Text)
    debt_type: str | None = Field(default=None, sa_type=Text)
    found: dict[str, Any] = Field(sa_type=JSONB)
    outcome: dict[str, Any] = Field(sa_type=JSONB)
    proposed_by: str = Field(sa_type=Text)
    proposed_by_name: str = Field(sa_type=Text)
    proposed_at: datetime = Field(sa_type=UTC_TIME)
    closed_by: str | None = Field(default=None, sa_type=Text)
    closed_by_name: str | None = Field(default=None, sa_type=Text)
    closed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    issued_on: date | None = None


class DunningItem(Row, table=True):
    """What a run found of one debt: a snapshot. Only `state` moves, for the `reason`; edits are in the run's history.

    `last_notice_on` is the day the interval counted from, `on_account_pence` what the council held of the customer.
    """

    __tablename__ = "dunning_item"
    __table_args__ = (
        Index("uq_dunning_item_open", "receivable_id", unique=True, postgresql_where=text("state = 'proposed'")),
    )

    run_id: UUID = Field(primary_key=True)
    receivable_id: UUID = Field(primary_key=True)
    customer_id: UUID
    procedure_id: UUID
    level: int = Field(sa_type=SmallInteger)
    days_overdue: int
    outstanding_pence: int = Field(sa_type=BigInteger)
    due_on: date
    last_notice_on: date | None = None
    on_account_pence: int | None = Field(default=None, sa_type=BigInteger)
    state: ItemState = Field(sa_type=EnumText(ItemState))
    reason: str | None = Field(default=None, sa_type=Text)


class PassedOver(Row, table=True):
    """The debts of a run that only the calendar or their ladder keeps back: a row a reason, level and procedure.

    The arrays belong together by position: debts, what they owed in pence, the day their interval counted from.
    """

    __tablename__ = "dunning_passed_over"
    __table_args__ = (Index(None, "run_id", "reason"),)

    id: UUID = Field(primary_key=True)
    run_id: UUID
    reason: str = Field(sa_type=Text)
    level: int = Field(sa_type=SmallInteger)
    procedure_id: UUID | None = None
    receivable_ids: list[UUID] = Field(sa_type=ARRAY(Uuid))
    outstanding_pence: list[int] = Field(sa_type=ARRAY(BigInteger))
    last_notice_on: list[date | None] = Field(sa_type=ARRAY(Date))


class DunningNotice(Listed, Row, table=True):
    """One notice of a level, with the facts that led to it and its delivery.

    `sent_on` is the London day a carrier took it; one that failed without it never left.
    """

    __tablename__ = "dunning_notice"
    __table_args__ = (
        UniqueConstraint("run_id", "receivable_id"),
        Index(None, "receivable_id"),
        Index(None, "customer_id"),
        Index(
            "ix_dunning_notice_under_way",
            "receivable_id",
            postgresql_where=text("delivery_status IN ('issued', 'sent')"),
        ),
        Index(
            "ix_dunning_notice_unsent",
            "receivable_id",
            postgresql_where=text("delivery_status = 'failed' AND sent_on IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    run_id: UUID = Field(foreign_key="dunning_run.id")
    receivable_id: UUID
    customer_id: UUID
    procedure_id: UUID
    level: int = Field(sa_type=SmallInteger)
    template: str = Field(sa_type=Text)
    channel: Channel = Field(sa_type=EnumText(Channel))
    issued_on: date
    due_on: date
    days_overdue: int
    outstanding_pence: int = Field(sa_type=BigInteger)
    last_notice_on: date | None = None
    approved_by: str = Field(sa_type=Text)
    approved_by_name: str = Field(sa_type=Text)
    delivery_status: DeliveryStatus = Field(sa_type=EnumText(DeliveryStatus))
    delivery_at: datetime = Field(sa_type=UTC_TIME)
    message_id: UUID | None = None
    failure_reason: str | None = Field(default=None, sa_type=Text)
    sent_on: date | None = None
