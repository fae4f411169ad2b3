"""What the lists of runs, of a run's items and of notices are narrowed by, sorted by, and show as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, TextFilter
from council_common.web.keyset import Order, fetch_page
from council_common.web.lists import ResourceList
from council_common.web.query_models import PageQuery, QueryModel
from pydantic import Field
from sqlalchemy import BigInteger, Date, Select, Subquery, Uuid, column, func, literal, null, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.customers.rules import Channel
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_runs.rules import COUNTED_ONLY, DeliveryStatus, ItemState, RunStatus
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningNotice, DunningRun, PassedOver

_RUN: Any = DunningRun.__table__.c  # type: ignore[attr-defined]
_ITEM: Any = DunningItem.__table__.c  # type: ignore[attr-defined]
_NOTICE: Any = DunningNotice.__table__.c  # type: ignore[attr-defined]
_PROCEDURE_NAME = (
    select(col(DunningProcedure.name)).where(col(DunningProcedure.id) == _RUN.procedure_id).scalar_subquery()
)

LevelFilter = Annotated[int | None, Field(ge=1, le=20)]


class RunList(
    ResourceList,
    of=DunningRun,
    sorts=("proposed_at", "as_at"),
    default="-proposed_at",
    csv=(
        *("id", "status", "as_at", "procedure_id", _PROCEDURE_NAME.label("procedure_name"), "department", "debt_type"),
        _RUN.found["overdue"].astext.label("overdue"),
        _RUN.found["proposed"].astext.label("proposed"),
        _RUN.found["proposed_pence"].astext.cast(BigInteger).label("proposed_pence"),
        _RUN.outcome["issued"].astext.label("issued"),
        *("proposed_by", "proposed_by_name", "proposed_at", "closed_by", "closed_by_name", "closed_at", "issued_on"),
    ),
):
    """Runs that meet every condition given, the newest first; `_from` and `_to` are inclusive."""

    status: RunStatus | None = None
    procedure_id: UUID | None = None
    department: TextFilter | None = None
    debt_type: TextFilter | None = None
    proposed_by: TextFilter | None = None
    as_at_from: Day | None = None
    as_at_to: Day | None = None
    proposed_from: Day | None = None
    proposed_to: Day | None = None


class NoticeList(
    ResourceList,
    of=DunningNotice,
    csv=(
        *("id", "run_id", "receivable_id"),
        select(col(Receivable.number))
        .where(col(Receivable.id) == _NOTICE.receivable_id)
        .scalar_subquery()
        .label("number"),
        "customer_id",
        select(col(Customer.name))
        .where(col(Customer.id) == _NOTICE.customer_id)
        .scalar_subquery()
        .label("customer_name"),
        *("level", "template", "channel", "issued_on", "due_on", "days_overdue", "outstanding_pence"),
        *(
            "last_notice_on",
            "approved_by",
            "approved_by_name",
            "delivery_status",
            "delivery_at",
            "failure_reason",
            "sent_on",
        ),
    ),
):
    """Notices that meet every condition given, in the order they were issued; `_from` and `_to` are inclusive."""

    receivable_id: UUID | None = None
    customer_id: UUID | None = None
    run_id: UUID | None = None
    level: LevelFilter = None
    template: TextFilter | None = None
    channel: Channel | None = None
    delivery_status: DeliveryStatus | None = None
    issued_from: Day | None = None
    issued_to: Day | None = None


def _passed_over(run_id: UUID, reason: str | None) -> Subquery:
    """The debts that only the calendar or their ladder kept back, as items of the run."""
    kept = (
        func.unnest(col(PassedOver.receivable_ids), col(PassedOver.outstanding_pence), col(PassedOver.last_notice_on))
        .table_valued(
            column("receivable_id", Uuid), column("outstanding_pence", BigInteger), column("last_notice_on", Date)
        )
        .render_derived(name="kept")
    )
    of_run = [col(PassedOver.run_id) == run_id]
    if reason is not None:
        of_run.append(col(PassedOver.reason) == reason)
    return (
        select(
            col(PassedOver.run_id),
            kept.c.receivable_id,
            col(Receivable.customer_id),
            col(PassedOver.procedure_id),
            col(PassedOver.level),
            (col(DunningRun.as_at) - col(Receivable.due_on)).label("days_overdue"),
            kept.c.outstanding_pence,
            col(Receivable.due_on),
            kept.c.last_notice_on,
            null().label("on_account_pence"),
            literal(ItemState.SKIPPED.value).label("state"),
            col(PassedOver.reason),
        )
        .select_from(PassedOver)
        .join(kept, true())
        .join(Receivable, col(Receivable.id) == kept.c.receivable_id)
        .join(DunningRun, col(DunningRun.id) == col(PassedOver.run_id))
        .where(*of_run)
        .subquery("passed_over")
    )


class ItemFilters(QueryModel):
    """What the items of a run are narrowed by."""

    state: ItemState | None = None
    level: LevelFilter = None
    reason: Annotated[
        TextFilter | None,
        Field(
            examples=["on_hold:dispute"],
            description=f"Any that the run counts; {', '.join(COUNTED_ONLY)} are listed only where they are asked for.",
        ),
    ] = None
    customer_id: UUID | None = None

    def items(self, run_id: UUID) -> tuple[Any, Select[Any]]:
        """The columns of the run's items, and the statement over those that meet every condition given."""
        of: Any = _ITEM
        if self.reason in COUNTED_ONLY:
            of = _passed_over(run_id, self.reason).c
        given = {of.state: self.state, of.level: self.level, of.customer_id: self.customer_id, of.reason: self.reason}
        conditions = (column == value for column, value in given.items() if value is not None)
        return of, select().where(of.run_id == run_id, *conditions)


def _number(of: Any) -> Any:
    """Looked up item by item: a join makes PostgreSQL walk the ledger from its beginning for every page."""
    return (
        select(col(Receivable.number)).where(col(Receivable.id) == of.receivable_id).scalar_subquery().label("number")
    )


def _order(of: Any) -> Order:
    """A million items have one index: they are listed in its order."""
    return Order("receivable_id", of.receivable_id, of.receivable_id)


class ItemQuery(ItemFilters, PageQuery):
    """Which page of a run's items."""

    async def page(self, session: AsyncSession, run_id: UUID) -> tuple[Sequence[Any], str | None]:
        """The items with their receivables' numbers, in the order of the receivables' ids, and the next cursor."""
        of, found = self.items(run_id)
        statement = found.add_columns(*of, _number(of))
        return await fetch_page(session, statement, _order(of), limit=self.limit, cursor=self.cursor)


def items_csv(filters: ItemFilters, run_id: UUID) -> tuple[Select[Any], Order]:
    """What the CSV of a run's items shows, and its order."""
    of, found = filters.items(run_id)
    customer_name = select(col(Customer.name)).where(col(Customer.id) == of.customer_id).scalar_subquery()
    columns = (
        *(of.receivable_id, _number(of), of.customer_id, customer_name.label("customer_name")),
        *(of.level, of.days_overdue, of.outstanding_pence, of.due_on, of.last_notice_on, of.on_account_pence),
        *(of.state, of.reason),
    )
    return found.add_columns(*columns), _order(of)


async def passed_over_item(session: AsyncSession, run_id: UUID, receivable_id: UUID) -> Any:
    """One debt that only the calendar or its ladder kept back, as an item with its number; None where it is none."""
    of = _passed_over(run_id, None).c
    found = await session.execute(select(*of, _number(of)).where(of.receivable_id == receivable_id))
    return found.one_or_none()
