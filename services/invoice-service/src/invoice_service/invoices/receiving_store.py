"""The two statements that receive one invoice. Driver statements: this is the hot path (performance.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.events.outbox import OutboxRow
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.claims import KeyClaim

# The supplier stays as it is until we commit, so that a hold placed at the same moment finds the invoice.
_LOOK_UP = """
SELECT s.supplier_id, s.status, s.payment_terms_days, s.open_changes,
    e.id AS existing_id, e.content_hash,
    k.request_hash, k.status AS answer_status, k.headers AS answer_headers, k.body AS answer_body,
    (SELECT i.id FROM invoice i
     WHERE i.number_key = $3 AND i.supplier_id = s.supplier_id AND i.kind = $4
         AND i.duplicate_of IS NULL AND i.status NOT IN ('rejected', 'cancelled')
     ORDER BY i.id LIMIT 1) AS duplicate_of
FROM supplier s
LEFT JOIN invoice e ON e.source_reference = $2 AND e.source_system = $1
LEFT JOIN idempotency_key k ON k.caller = $5 AND k.key = $6
WHERE {} FOR SHARE OF s
"""
_LOOK_UP_BY_ID = _LOOK_UP.format("s.supplier_id = $7")
_LOOK_UP_BY_SOURCE = _LOOK_UP.format("s.source_system = $7 AND s.source_reference = $8")

COLUMNS = (
    *("id", "version", "kind", "supplier_id", "source_system", "source_reference", "content_hash", "number"),
    *("number_key", "purchase_order_number", "issued_on", "received_on", "due_on", "lines", "net_pence"),
    *("vat_pence", "gross_pence", "status", "status_before_hold", "hold_reasons", "duplicate_of"),
    *("received_by", "received_by_name", "received_at"),
)
_TYPES = {
    **dict.fromkeys(("id", "supplier_id", "duplicate_of"), "uuid"),
    **dict.fromkeys(("issued_on", "received_on", "due_on"), "date"),
    **dict.fromkeys(("net_pence", "vat_pence", "gross_pence"), "bigint"),
    **{"version": "int", "content_hash": "bytea", "lines": "jsonb", "hold_reasons": "text[]"},
    "received_at": "timestamptz",
}
_VALUES = ", ".join(f"${number}::{_TYPES.get(name, 'text')}" for number, name in enumerate(COLUMNS, start=11))

# One statement: the key, the invoice and its events are there together or not at all. Nothing happens when the
# key was claimed, or the invoice's source or number taken, a moment ago by somebody else.
_STORE = f"""
WITH claimed AS (
    INSERT INTO idempotency_key (caller, key, request_hash, status, headers, body)
    SELECT $1::text, $2::text, $3::bytea, $4::smallint, $5::jsonb, $6::bytea WHERE $2::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1
), stored AS (
    INSERT INTO invoice ({", ".join(COLUMNS)})
    SELECT {_VALUES} WHERE $2::text IS NULL OR EXISTS (SELECT FROM claimed)
    ON CONFLICT DO NOTHING RETURNING id
), told AS (
    INSERT INTO outbox (id, topic, aggregate_id, type, payload)
    SELECT event.id, event.topic, stored.id, event.type, event.payload
    FROM stored, unnest($7::uuid[], $8::text[], $9::text[], $10::bytea[]) AS event(id, topic, type, payload)
)
SELECT (SELECT count(*) FROM claimed) AS claimed, (SELECT count(*) FROM stored) AS stored
"""

_PLACE_HOLDS = """
INSERT INTO invoice_hold (id, invoice_id, reason, placed_by, placed_at)
SELECT hold.id, $3, hold.reason, $4, $5 FROM unnest($1::uuid[], $2::text[]) AS hold(id, reason)
"""


async def look_up(
    session: AsyncSession,
    *,
    supplier_id: UUID | None,
    supplier_source: tuple[str | None, str | None],
    source: tuple[str, str],
    number_key: str,
    kind: str,
    claim: KeyClaim | None,
) -> Any:
    """What there is already: supplier (locked), invoice of that source, answer to that key, duplicate; or None.

    The first statement of the transaction: it goes through SQLAlchemy, which begins the transaction with it.
    """
    by = (claim.caller, claim.key) if claim else (None, None)
    named = (supplier_id,) if supplier_id is not None else supplier_source
    statement = _LOOK_UP_BY_ID if supplier_id is not None else _LOOK_UP_BY_SOURCE
    connection = await session.connection()
    found = await connection.exec_driver_sql(statement, (*source, number_key, kind, *by, *named))
    return found.one_or_none()


async def store(
    session: AsyncSession, values: dict[str, Any], *, claim: KeyClaim | None, answer: bytes, events: Sequence[OutboxRow]
) -> tuple[bool, bool]:
    """Claim the key, store the invoice, write its events; whether the key was claimed, and the invoice stored."""
    key = (claim.caller, claim.key, claim.request_hash) if claim else (None, None, None)
    row = await (await driver(session)).fetchrow(
        _STORE,
        *key,
        *(201, claim.headers if claim else None, answer),
        [event.id for event in events],
        [event.topic for event in events],
        [event.type for event in events],
        [event.payload for event in events],
        *(values[name] for name in COLUMNS),
    )
    return bool(row["claimed"]), bool(row["stored"])


async def place_holds(
    session: AsyncSession, invoice_id: UUID, reasons: Sequence[str], *, by: str, at: datetime
) -> None:
    """The holds an invoice is born with."""
    ids = [new_id() for _ in reasons]
    await (await driver(session)).execute(_PLACE_HOLDS, ids, reasons, invoice_id, by, at)
