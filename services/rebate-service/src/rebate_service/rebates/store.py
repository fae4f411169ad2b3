"""Rebates by the thousand: COPY in, one UPDATE over arrays (what people look for is in `listing`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.events.causes import traceparent_of
from council_common.events.outbox import OUTBOX_COLUMNS, OutboxRow, outbox_row
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebates.announcements import RebateChange, event_of
from rebate_service.rebates.entry import Entry
from rebate_service.rebates.rules import ASSESSED

CHUNK = 2000

_COLUMNS = ", ".join(Entry._fields)
# As text: SQLAlchemy's codec on the driver takes JSON as text and gives it as objects.
_READ = _COLUMNS.replace("vat_shares", "vat_shares::text").replace("rebate_parts", "rebate_parts::text")
_TYPES = {
    **dict.fromkeys(("id", "invoice_id", "payment_id", "supplier_id", "agreement_id"), "uuid"),
    **dict.fromkeys(("received_on", "valid_on", "remitted_on", "arrives_on", "returned_on"), "date"),
    **dict.fromkeys(("clock_started_on", "clock_ended_on", "target_on"), "date"),
    **dict.fromkeys(("invoice_number", "method", "vat_shares", "status", "cause"), "text"),
    **dict.fromkeys(("variance_cause", "rebate_parts"), "text"),
    **dict.fromkeys(("version", "elapsed_days", "accelerated_days", "agreement_version"), "integer"),
    **dict.fromkeys(("disputed", "part_payment"), "boolean"),
    "rate_percent": "numeric",
    "changed_at": "timestamptz",
}
_UNNEST = ", ".join(f"${number}::{_TYPES.get(name, 'bigint')}[]" for number, name in enumerate(Entry._fields, 1))
_SET = ", ".join(
    f"{name} = told.{name}{'::jsonb' if name in {'vat_shares', 'rebate_parts'} else ''}"
    for name in Entry._fields
    if name != "id"
)
# The same payment or invoice may be told by two events; rows are taken in the order of their ids by everybody.
_OF_INVOICES = f"SELECT {_READ} FROM rebate WHERE invoice_id = ANY($1) ORDER BY id FOR UPDATE"
_OF_SUPPLIER = (
    f"SELECT {_READ} FROM rebate WHERE supplier_id = $1 AND received_on >= $2 AND id > $3 AND status = ANY($4)"
    f" ORDER BY id LIMIT {CHUNK} FOR UPDATE"
)
_UPDATE = f"UPDATE rebate SET {_SET} FROM unnest({_UNNEST}) AS told ({_COLUMNS}) WHERE rebate.id = told.id"
_COUNT = (
    "UPDATE rebate SET version = version + told.facts FROM unnest($1::uuid[], $2::integer[]) AS told (id, facts)"
    " WHERE rebate.id = told.id RETURNING rebate.id, version"
)
_CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action", "reason", "detail")


async def lock_of_invoices(session: AsyncSession, invoice_ids: Iterable[UUID]) -> dict[UUID, list[Entry]]:
    """What is known of these invoices, locked until the commit."""
    connection = await driver(session)
    known: dict[UUID, list[Entry]] = {}
    for record in await connection.fetch(_OF_INVOICES, list(invoice_ids)):
        entry = Entry(*record)
        known.setdefault(entry.invoice_id, []).append(entry)
    return known


async def lock_of_supplier(
    session: AsyncSession, supplier_id: UUID, *, received_from: date, after: UUID
) -> list[Entry]:
    """A supplier's next rebates that follow from an agreement (at most 2,000), in order of their ids."""
    connection = await driver(session)
    statuses = [status.value for status in ASSESSED]
    return [
        Entry(*record) for record in await connection.fetch(_OF_SUPPLIER, supplier_id, received_from, after, statuses)
    ]


async def count_facts(session: AsyncSession, facts: Mapping[UUID, int]) -> dict[UUID, int]:
    """Lock rebates and count so many facts about each that change none of its figures; returns the last versions."""
    connection = await driver(session)
    counted = await connection.fetch(_COUNT, list(facts), list(facts.values()))
    return {record["id"]: record["version"] for record in counted}


async def save(session: AsyncSession, told: Sequence[RebateChange], *, at: datetime) -> None:
    """Write changed rebates, their history and their events."""
    if not told:
        return
    connection = await driver(session)
    new = [each.after for each in told if each.before is None]
    changed = [each.after for each in told if each.before is not None]
    if changed:
        await connection.execute(_UPDATE, *map(list, zip(*changed, strict=True)))
    if new:
        await connection.copy_records_to_table("rebate", records=new, columns=Entry._fields)
    ids = [new_id() for _ in told]
    # Each event and each line of history is copied as it is written: thousands of them would fill the caches.
    await connection.copy_records_to_table("outbox", records=_events(told, ids, at), columns=OUTBOX_COLUMNS)
    await connection.copy_records_to_table("change", records=_history(told, ids, at), columns=_CHANGE_COLUMNS)


def _events(told: Sequence[RebateChange], ids: Sequence[UUID], at: datetime) -> Iterator[OutboxRow]:
    """The event of each change that has one to tell, under the id of the change."""
    for each, id_ in zip(told, ids, strict=True):
        event = event_of(each, at)
        if event is not None:
            yield outbox_row(event, event_id=id_, traceparent=traceparent_of(each.after.invoice_id))


def _history(told: Sequence[RebateChange], ids: Sequence[UUID], at: datetime) -> Iterator[tuple[Any, ...]]:
    for each, id_ in zip(told, ids, strict=True):
        after = each.after
        detail = f'{{"rebate_pence":{after.rebate_pence},"expected_pence":{after.expected_pence}}}'
        yield id_, "rebate", after.id, after.version, at, each.by, each.by, after.status, each.reason, detail
