"""Every query of the rebates: by the thousand in COPY and in one UPDATE over arrays, and as people look for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.errors import NotFound
from council_common.events.causes import traceparent_of
from council_common.events.outbox import OUTBOX_COLUMNS, OutboxRow, outbox_row
from council_common.ids import new_id
from council_common.web.pages import PageQuery, fetch_page
from fastapi import Query
from sqlalchemy import Date, Select, Table, cast, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.rebates.events import RebateChange, event_of
from rebate_service.rebates.record import RebateRecord
from rebate_service.rebates.rules import ASSESSED, RebateStatus
from rebate_service.rebates.tables import Rebate

CHUNK = 2000

_COLUMNS = RebateRecord._fields
_TABLE: Table = Rebate.__table__  # type: ignore[attr-defined]
_TYPES = {name: _TABLE.c[name].type.compile(dialect=postgresql.dialect()) for name in _COLUMNS}  # type: ignore[no-untyped-call]
# JSON is read as text: SQLAlchemy's codec on the driver takes JSON as text and gives it as objects.
_READ = ", ".join(f"{name}::text" if _TYPES[name] == "JSONB" else name for name in _COLUMNS)
_ARRAYS = ", ".join(f"${number}::{_TYPES[name]}[]" for number, name in enumerate(_COLUMNS, 1))
_ASSIGNED = ", ".join(f"{name} = changed.{name}" for name in _COLUMNS if name != "id")
# One payment or invoice may come in two events; every transaction locks rows in the order of their ids.
_OF_INVOICES = f"SELECT {_READ} FROM rebate WHERE invoice_id = ANY($1) ORDER BY id FOR UPDATE"
_OF_SUPPLIER = (
    f"SELECT {_READ} FROM rebate WHERE supplier_id = $1 AND received_on >= $2 AND id > $3 AND status = ANY($4)"
    f" ORDER BY id LIMIT {CHUNK} FOR UPDATE"
)
_UPDATE = (
    f"UPDATE rebate SET {_ASSIGNED} FROM unnest({_ARRAYS}) AS changed ({', '.join(_COLUMNS)})"
    " WHERE rebate.id = changed.id"
)
_RAISE_VERSIONS = (
    "UPDATE rebate SET version = version + counted.facts FROM unnest($1::uuid[], $2::integer[]) AS counted (id, facts)"
    " WHERE rebate.id = counted.id RETURNING rebate.id, version"
)
_CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action", "reason", "detail")
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


async def lock_rebates_of_invoices(
    session: AsyncSession, invoice_ids: Iterable[UUID]
) -> dict[UUID, list[RebateRecord]]:
    """The rebates of these invoices, locked until the commit."""
    connection = await driver(session)
    by_invoice: dict[UUID, list[RebateRecord]] = {}
    for row in await connection.fetch(_OF_INVOICES, list(invoice_ids)):
        record = RebateRecord(**row)
        by_invoice.setdefault(record.invoice_id, []).append(record)
    return by_invoice


async def lock_rebates_of_supplier(
    session: AsyncSession, supplier_id: UUID, *, received_from: date, after: UUID
) -> list[RebateRecord]:
    """A supplier's next rebates that follow from an agreement (at most 2,000), in order of their ids, locked."""
    connection = await driver(session)
    statuses = [status.value for status in ASSESSED]
    rows = await connection.fetch(_OF_SUPPLIER, supplier_id, received_from, after, statuses)
    return [RebateRecord(**row) for row in rows]


async def raise_versions(session: AsyncSession, facts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Lock rebates and raise each one's version by a number of facts that change none of its figures.

    Returns the versions of the last facts.
    """
    connection = await driver(session)
    rows = await connection.fetch(_RAISE_VERSIONS, list(facts), list(facts.values()))
    return {row["id"]: row["version"] for row in rows}


async def save_changes(session: AsyncSession, changes: Sequence[RebateChange], *, at: datetime) -> None:
    """Write changed rebates, their history and their events."""
    if not changes:
        return
    connection = await driver(session)
    new = [change.after for change in changes if change.before is None]
    changed = [change.after for change in changes if change.before is not None]
    if changed:
        await connection.execute(_UPDATE, *map(list, zip(*changed, strict=True)))
    if new:
        await connection.copy_records_to_table("rebate", columns=_COLUMNS, records=new)
    ids = [new_id() for _ in changes]
    # Each event and each line of history is copied as it is written: thousands of them would fill the caches.
    await connection.copy_records_to_table("outbox", columns=OUTBOX_COLUMNS, records=_events(changes, ids, at))
    await connection.copy_records_to_table("change", columns=_CHANGE_COLUMNS, records=_history(changes, ids, at))


def _events(changes: Sequence[RebateChange], ids: Sequence[UUID], at: datetime) -> Iterator[OutboxRow]:
    """The event of each change that has one, under the id of the change."""
    for change, id_ in zip(changes, ids, strict=True):
        event = event_of(change, at)
        if event is not None:
            yield outbox_row(event, event_id=id_, traceparent=traceparent_of(change.after.invoice_id))


def _history(changes: Sequence[RebateChange], ids: Sequence[UUID], at: datetime) -> Iterator[tuple[Any, ...]]:
    for change, id_ in zip(changes, ids, strict=True):
        after = change.after
        detail = f'{{"rebate_pence":{after.rebate_pence},"expected_pence":{after.expected_pence}}}'
        yield id_, "rebate", after.id, after.version, at, change.by, change.by, after.status, change.reason, detail


async def get_rebate(session: AsyncSession, rebate_id: UUID) -> Rebate:
    """A rebate; raises NotFound."""
    rebate = await session.get(Rebate, rebate_id)
    if rebate is None:
        raise NotFound("There is no rebate with this id.")
    return rebate


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


def exported_rebates(wanted: RebateFilter) -> Select[Any]:
    """The columns of the CSV of a filter's rebates."""
    return wanted.of(select(*(col(getattr(Rebate, name)) for name in _EXPORTED)))
