"""Every query of the rebates. Entries are read and written by the thousand: COPY in, one UPDATE over arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from council_common.database.sessions import driver
from council_common.events.outbox import OUTBOX_COLUMNS, outbox_rows
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebates.announcements import Told, event_of
from rebate_service.rebates.entry import Entry
from rebate_service.rebates.rules import ASSESSED

CHUNK = 2000

_COLUMNS = ", ".join(Entry._fields)
# As text: SQLAlchemy's codec on the driver takes JSON as text and gives it as objects.
_READ = _COLUMNS.replace("vat_shares", "vat_shares::text")
_TYPES = {
    **dict.fromkeys(("id", "invoice_id", "payment_id", "supplier_id", "agreement_id"), "uuid"),
    **dict.fromkeys(("received_on", "valid_on", "remitted_on", "arrives_on", "target_on", "returned_on"), "date"),
    **dict.fromkeys(("invoice_number", "vat_shares", "status", "cause", "variance_cause"), "text"),
    **dict.fromkeys(("version", "elapsed_days", "accelerated_days", "agreement_version"), "integer"),
    **dict.fromkeys(("disputed", "part_payment"), "boolean"),
    "rate_percent": "numeric",
    "changed_at": "timestamptz",
}
_UNNEST = ", ".join(f"${number}::{_TYPES.get(name, 'bigint')}[]" for number, name in enumerate(Entry._fields, 1))
_SET = ", ".join(
    f"{name} = told.{name}{'::jsonb' if name == 'vat_shares' else ''}" for name in Entry._fields if name != "id"
)
# The same payment or invoice may be told by two events; rows are taken in the order of their ids by everybody.
_OF_INVOICES = f"SELECT {_READ} FROM rebate WHERE invoice_id = ANY($1) ORDER BY id FOR UPDATE"
_OF_SUPPLIER = (
    f"SELECT {_READ} FROM rebate WHERE supplier_id = $1 AND received_on >= $2 AND id > $3 AND status = ANY($4)"
    f" ORDER BY id LIMIT {CHUNK} FOR UPDATE"
)
_UPDATE = f"UPDATE rebate SET {_SET} FROM unnest({_UNNEST}) AS told ({_COLUMNS}) WHERE rebate.id = told.id"
_COUNT = "UPDATE rebate SET version = version + 1 WHERE id = $1 RETURNING version"
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


async def next_version(session: AsyncSession, rebate_id: UUID) -> int:
    """Lock a rebate and count a fact about it that changes none of its figures."""
    connection = await driver(session)
    return int(await connection.fetchval(_COUNT, rebate_id))


async def save(session: AsyncSession, told: Sequence[Told], *, at: datetime) -> None:
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
    await _publish(session, told, at=at)


async def _publish(session: AsyncSession, told: Sequence[Told], *, at: datetime) -> None:
    """Events and history; a change of the history has the id of its event."""
    connection = await driver(session)
    spoken = [(each, event) for each in told if (event := event_of(each, at)) is not None]
    rows = outbox_rows(event for _, event in spoken)
    history = [
        (
            row.id,
            "rebate",
            each.after.id,
            each.after.version,
            at,
            each.by,
            each.by,
            each.after.status,
            each.reason,
            f'{{"rebate_pence":{each.after.rebate_pence},"expected_pence":{each.after.expected_pence}}}',
        )
        for row, (each, _) in zip(rows, spoken, strict=True)
    ]
    await connection.copy_records_to_table("outbox", records=rows, columns=OUTBOX_COLUMNS)
    await connection.copy_records_to_table("change", records=history, columns=_CHANGE_COLUMNS)
