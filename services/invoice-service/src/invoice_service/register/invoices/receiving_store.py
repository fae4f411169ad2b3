"""The statements that receive one invoice. Driver statements: this is the hot path (performance.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import autocommitting, driver
from council_common.database.transient_faults import DRIVER_FAULTS
from council_common.events.outbox import OutboxRow
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.observability.logs import get_logger
from council_common.web.idempotency import KeyClaim
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from invoice_service.register.invoices.store import earlier_with_number

log = get_logger()

_TAKEN_BACK = "CP409"
"""The SQL state of `take_back`, a function of the platform's first migration."""

# The supplier stays as it is until we commit, so that a hold placed at the same moment finds the invoice.
_LOOK_UP = """
SELECT s.supplier_id, s.status, s.payment_terms_days, s.open_changes,
    e.id AS existing_id, e.content_hash,
    k.request_hash, k.status AS answer_status, k.headers AS answer_headers, k.body AS answer_body,
    ({duplicate_of}) AS duplicate_of
FROM supplier s
LEFT JOIN invoice e ON e.source_reference = $2 AND e.source_system = $1
LEFT JOIN idempotency_key k ON k.caller = $5 AND k.key = $6
WHERE {named} FOR SHARE OF s
"""
_DUPLICATE_OF = earlier_with_number(supplier_id="s.supplier_id", number_key="$3", kind="$4")
_LOOK_UP_BY_ID = _LOOK_UP.format(duplicate_of=_DUPLICATE_OF, named="s.supplier_id = $7")
_LOOK_UP_BY_SOURCE = _LOOK_UP.format(
    duplicate_of=_DUPLICATE_OF, named="s.source_system = $7 AND s.source_reference = $8"
)

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

# One statement: the key, the invoice and its events are there together or not at all. Nothing happens when another
# request claimed the key, or stored the invoice's source or number, a moment ago.
_CLAIM_STORE_PUBLISH = f"""
claimed AS (
    INSERT INTO idempotency_key (caller, key, request_hash, status, headers, body)
    SELECT $1::text, $2::text, $3::bytea, $4::smallint, $5::jsonb, $6::bytea FROM payable WHERE $2::text IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1
), stored AS (
    INSERT INTO invoice ({", ".join(COLUMNS)})
    SELECT {_VALUES} FROM payable WHERE $2::text IS NULL OR EXISTS (SELECT FROM claimed)
    ON CONFLICT DO NOTHING RETURNING id
), published AS (
    INSERT INTO outbox (id, topic, aggregate_id, type, payload)
    SELECT event.id, event.topic, stored.id, event.type, event.payload
    FROM stored, unnest($7::uuid[], $8::text[], $9::text[], $10::bytea[]) WITH ORDINALITY
        AS event(id, topic, type, payload, place)
    ORDER BY event.place
), become AS (
    SELECT (SELECT count(*) FROM claimed) AS claimed, (SELECT count(*) FROM stored) AS stored
)
"""
_STORE = f"WITH payable AS (SELECT), {_CLAIM_STORE_PUBLISH} SELECT claimed, stored FROM become"

# The same outside a transaction, for an invoice without a flaw: the supplier is as it was seen last and stays so until
# the commit, nothing is known of this source or number. Where another request stores either at this very moment, the
# key was claimed for nothing and is taken back.
_PLACES = {name: f"${number}" for number, name in enumerate((*COLUMNS, "terms", "system", "reference"), start=11)}
_SAME_NUMBER = earlier_with_number(supplier_id="s.supplier_id", number_key=_PLACES["number_key"], kind=_PLACES["kind"])
_STORE_AT_ONCE = f"""
WITH payable AS (
    SELECT FROM supplier s
    WHERE s.supplier_id = {_PLACES["supplier_id"]} AND s.payment_terms_days = {_PLACES["terms"]}::int
        AND s.status = 'active' AND s.open_changes = '{{}}'
        AND ({_PLACES["system"]}::text IS NULL OR s.source_system = {_PLACES["system"]})
        AND ({_PLACES["reference"]}::text IS NULL OR s.source_reference = {_PLACES["reference"]})
        AND NOT EXISTS (
            SELECT FROM invoice e
            WHERE e.source_reference = {_PLACES["source_reference"]} AND e.source_system = {_PLACES["source_system"]}
        )
        AND NOT EXISTS ({_SAME_NUMBER})
    FOR SHARE OF s
), {_CLAIM_STORE_PUBLISH}
SELECT CASE WHEN claimed > stored THEN take_back('stored by another request') ELSE stored END FROM become
"""

_PLACE_HOLDS = """
INSERT INTO invoice_hold (id, invoice_id, reason, placed_by, placed_by_name, placed_at)
SELECT hold.id, $3, hold.reason, $4, $5, $6 FROM unnest($1::uuid[], $2::text[]) AS hold(id, reason)
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
    session: AsyncSession,
    values: dict[str, Any],
    *,
    claim: KeyClaim | None,
    headers: str,
    answer: bytes,
    events: Sequence[OutboxRow],
) -> tuple[bool, bool]:
    """Claim the key, store the invoice, write its events; whether the key was claimed, and the invoice stored.

    `headers` (JSON) and `answer` are what a replay of the key answers.
    """
    row = await (await driver(session)).fetchrow(_STORE, *_arguments(values, claim, headers, answer, events))
    return bool(row["claimed"]), bool(row["stored"])


async def store_at_once(
    engine: AsyncEngine,
    values: dict[str, Any],
    *,
    terms_days: int,
    supplier_source: tuple[str | None, str | None],
    claim: KeyClaim | None,
    headers: str,
    answer: bytes,
    events: Sequence[OutboxRow],
) -> bool:
    """Look up and store in one statement that commits by itself; False where it takes a closer look.

    Whatever goes wrong here has stored nothing, or shows on the second attempt as the same invoice again.
    """
    arguments = _arguments(values, claim, headers, answer, events)
    try:
        async with autocommitting(engine) as connection:
            return bool(await connection.fetchval(_STORE_AT_ONCE, *arguments, terms_days, *supplier_source))
    except DRIVER_FAULTS as fault:
        if getattr(fault, "sqlstate", None) != _TAKEN_BACK:
            log.warning("invoice_not_stored_at_once", fault=type(fault).__name__)
        return False


def _arguments(
    values: dict[str, Any], claim: KeyClaim | None, headers: str, answer: bytes, events: Sequence[OutboxRow]
) -> Iterator[Any]:
    key = (claim.caller, claim.key, claim.request_hash) if claim else (None, None, None)
    yield from (*key, 201, headers, answer)
    yield [event.id for event in events]
    yield [event.topic for event in events]
    yield [event.type for event in events]
    yield [event.payload for event in events]
    yield from (values[name] for name in COLUMNS)


async def place_holds(
    session: AsyncSession, invoice_id: UUID, reasons: Sequence[str], *, by: Actor, at: datetime
) -> None:
    """The holds an invoice is born with."""
    ids = [new_id() for _ in reasons]
    await (await driver(session)).execute(_PLACE_HOLDS, ids, reasons, invoice_id, by.subject, by.name, at)
