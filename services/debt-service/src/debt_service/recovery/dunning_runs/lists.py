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
from sqlalchemy import BigInteger, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.customers.rules import Channel
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_runs.rules import DeliveryStatus, ItemState, RunStatus
from debt_service.recovery.dunning_runs.tables import DunningItem, DunningNotice, DunningRun

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
        *("proposed_by", "proposed_at", "closed_by", "closed_at", "issued_on"),
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
        *("last_notice_on", "approved_by", "delivery_status", "delivery_at", "failure_reason", "sent_on"),
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


class ItemFilters(QueryModel):
    """What the items of a run are narrowed by."""

    state: ItemState | None = None
    level: LevelFilter = None
    reason: Annotated[TextFilter | None, Field(examples=["on_hold:dispute"])] = None
    customer_id: UUID | None = None

    def narrow(self, statement: Select[Any], run_id: UUID) -> Select[Any]:
        """The statement over the items of a run that meet every condition given."""
        given = {
            _ITEM.state: self.state,
            _ITEM.level: self.level,
            _ITEM.reason: self.reason,
            _ITEM.customer_id: self.customer_id,
        }
        conditions = (column == value for column, value in given.items() if value is not None)
        return statement.where(_ITEM.run_id == run_id, *conditions)


# Looked up item by item: a join makes PostgreSQL walk the ledger from its beginning for every page.
_ITEM_NUMBER = select(col(Receivable.number)).where(col(Receivable.id) == _ITEM.receivable_id).scalar_subquery()
_ITEM_CUSTOMER_NAME = select(col(Customer.name)).where(col(Customer.id) == _ITEM.customer_id).scalar_subquery()

# A million items have one index: they are listed in its order.
ITEM_ORDER = Order("receivable_id", _ITEM.receivable_id, _ITEM.receivable_id)


class ItemQuery(ItemFilters, PageQuery):
    """Which page of a run's items."""

    async def page(self, session: AsyncSession, run_id: UUID) -> tuple[Sequence[Any], str | None]:
        """The items with their receivables' numbers, in the order of the receivables' ids, and the next cursor."""
        statement = self.narrow(select(*_ITEM, _ITEM_NUMBER.label("number")), run_id)
        return await fetch_page(session, statement, ITEM_ORDER, limit=self.limit, cursor=self.cursor)


def items_csv(filters: ItemFilters, run_id: UUID) -> Select[Any]:
    """What the CSV of a run's items shows, unordered."""
    columns = (
        _ITEM.receivable_id,
        _ITEM_NUMBER.label("number"),
        _ITEM.customer_id,
        _ITEM_CUSTOMER_NAME.label("customer_name"),
        *(_ITEM.level, _ITEM.days_overdue, _ITEM.outstanding_pence, _ITEM.due_on, _ITEM.last_notice_on),
        *(_ITEM.state, _ITEM.reason),
    )
    return filters.narrow(select(*columns), run_id)
