"""The set-based statements on many invoices at once: locked, changed, found by source and number, added by COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from council_common.database.many_rows import copy_rows
from council_common.database.rows import columns_of, plain_row
from council_common.database.sessions import driver, fetch_all
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.receiving_store import COLUMNS
from invoice_service.register.invoices.store import earlier_with_number
from invoice_service.register.invoices.tables import Invoice

_LOCK = f"SELECT {columns_of(Invoice, 'i')} FROM invoice i WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

# What becomes of an invoice after its receipt, credit notes apart.
_CHANGED = {
    "id": "uuid",
    "version": "int",
    "status": "text",
    "status_before_hold": "text",
    "paid_pence": "bigint",
    "deducted_pence": "bigint",
    "paid_on": "date",
    "approved_by": "text",
    "approved_by_name": "text",
    "approved_at": "timestamptz",
}
_CHANGED_OF = attrgetter(*_CHANGED)
_STORE_CHANGED = f"""
UPDATE invoice SET {", ".join(f"{name} = changed.{name}" for name in _CHANGED if name != "id")}
FROM unnest({", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(_CHANGED.values(), 1))})
    AS changed ({", ".join(_CHANGED)})
WHERE invoice.id = changed.id
"""

_EARLIER = f"""
SELECT asked.supplier_id, asked.number_key, asked.kind, (
    {earlier_with_number(supplier_id="asked.supplier_id", number_key="asked.number_key", kind="asked.kind")}
) AS id
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS asked (supplier_id, number_key, kind)
"""
_HOLD_COLUMNS = ("id", "invoice_id", "reason", "placed_by", "placed_by_name", "placed_at")


async def lock_invoices(session: AsyncSession, invoice_ids: Iterable[UUID]) -> dict[UUID, Invoice]:
    """Invoices by their ids, locked in the order of them; `store_changed` writes what is assigned to them."""
    rows = await fetch_all(session, _LOCK, list(set(invoice_ids)))
    return {row["id"]: plain_row(Invoice, row) for row in rows}


async def store_changed(session: AsyncSession, invoices: Sequence[Invoice]) -> None:
    """Store locked invoices as they are now."""
    if invoices:
        values = zip(*map(_CHANGED_OF, invoices), strict=True)
        await (await driver(session)).execute(_STORE_CHANGED, *map(list, values))


async def earlier_by_number(
    session: AsyncSession, numbers: Sequence[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], UUID]:
    """Rule D1 for many: the earliest invoice of each supplier, number key and kind that has one."""
    columns = ([one[place] for one in numbers] for place in range(3))
    rows = await fetch_all(session, _EARLIER, *columns)
    return {(row["supplier_id"], row["number_key"], row["kind"]): row["id"] for row in rows if row["id"]}


async def add_invoices(
    session: AsyncSession, invoices: Sequence[Mapping[str, Any]], *, by: Actor, at: datetime
) -> None:
    """Add new invoices, and the holds they are born with. Raises UniqueViolationError."""
    await copy_rows(session, "invoice", COLUMNS, [tuple(values[name] for name in COLUMNS) for values in invoices])
    holds = [
        (new_id(), values["id"], reason, by.subject, by.name, at)
        for values in invoices
        for reason in values["hold_reasons"]
    ]
    await copy_rows(session, "invoice_hold", _HOLD_COLUMNS, holds)
