"""Rebates as people look for them: by filters, page by page, or all of them as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from council_common.errors import NotFound
from council_common.web.pages import PageQuery, fetch_page
from fastapi import Query
from sqlalchemy import Date, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.rebates.rules import RebateStatus
from rebate_service.rebates.tables import Rebate

_EXPORTED = (
    "id",
    "invoice_id",
    "invoice_number",
    "payment_id",
    "supplier_id",
    "agreement_id",
    "agreement_version",
    "status",
    "cause",
    "received_on",
    "remitted_on",
    "target_on",
    "elapsed_days",
    "accelerated_days",
    "rate_percent",
    "base_pence",
    "rebate_net_pence",
    "rebate_vat_pence",
    "rebate_pence",
    "expected_pence",
    "deducted_pence",
    "variance_pence",
)


@dataclass(frozen=True)
class RebateFilter:
    """Which rebates. Without a status those outside any agreement are left out."""

    supplier_id: UUID | None = None
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    status: RebateStatus | None = None
    received_from: date | None = None
    received_to: date | None = None
    remitted_from: date | None = None
    remitted_to: date | None = None
    has_variance: Annotated[
        bool | None, Query(description="Deducted otherwise than earned; with it those outside any agreement too.")
    ] = None

    def of(self, statement: Select[Any]) -> Select[Any]:
        """The statement with these conditions."""
        if self.status is None and not self.has_variance:
            statement = statement.where(col(Rebate.agreement_id).is_not(None))
        if self.has_variance is not None:
            differs = col(Rebate.variance_pence) != 0
            statement = statement.where(differs if self.has_variance else ~differs)
        for attribute, value in (
            (Rebate.supplier_id, self.supplier_id),
            (Rebate.invoice_id, self.invoice_id),
            (Rebate.payment_id, self.payment_id),
            (Rebate.status, self.status),
        ):
            if value is not None:
                statement = statement.where(col(attribute) == value)
        for day, first, last in (
            (Rebate.received_on, self.received_from, self.received_to),
            (Rebate.remitted_on, self.remitted_from, self.remitted_to),
        ):
            if first is not None:
                statement = statement.where(col(day) >= first)
            if last is not None:
                statement = statement.where(col(day) <= last)
        return statement


async def page_of_rebates(
    session: AsyncSession, query: PageQuery, wanted: RebateFilter
) -> tuple[Sequence[Rebate], str | None]:
    """Rebates, newest first; those not paid sort by their payment's day as the last."""
    sortable = {
        "id": Rebate.id,
        "received_on": Rebate.received_on,
        "remitted_on": func.coalesce(col(Rebate.remitted_on), cast(date.max, Date)),
        "rebate_pence": Rebate.rebate_pence,
    }
    return await fetch_page(
        session,
        wanted.of(select(Rebate)),
        query=query,
        sortable=sortable,
        default="-id",
        id_column=Rebate.id,
    )


async def get_rebate(session: AsyncSession, rebate_id: UUID) -> Rebate:
    """A rebate; raises NotFound."""
    found = await session.get(Rebate, rebate_id)
    if found is None:
        raise NotFound("There is no rebate with this id.")
    return found


def exported(wanted: RebateFilter) -> Select[Any]:
    """The columns of the CSV of a filter's rebates."""
    return wanted.of(select(*(col(getattr(Rebate, name)) for name in _EXPORTED)))
