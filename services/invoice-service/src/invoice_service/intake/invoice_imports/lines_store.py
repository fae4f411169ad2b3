"""What the database knows of a batch's lines, and how a batch is copied. Set-based driver statements: a hot path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.many_rows import copy_rows
from council_common.events.outbox import OUTBOX_COLUMNS
from council_common.imports import Refusal
from council_common.recording import record_many
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports.assembling import (
    HELD_COLUMNS,
    INVOICE_COLUMNS,
    AssembledRows,
    HoldRow,
    ImportContext,
)
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.rules import MOST_PAYMENTS_OF_ONE, occurrence_reference
from invoice_service.register.invoices.store import ENDED_SQL, earlier_with_number

_EXISTING = """
SELECT source_reference, id, content_hash, row_hash, import_id, paid_on, historic FROM invoice
WHERE source_reference = ANY(string_to_array($2, E'\\x1f')) AND source_system = $1
"""

_DUPLICATED = f"""
SELECT line.place, earlier.id
FROM unnest(
    string_to_array($1, E'\\x1f')::uuid[], string_to_array($2, E'\\x1f'), string_to_array($3, E'\\x1f')
) WITH ORDINALITY AS line(supplier_id, number_key, kind, place)
CROSS JOIN LATERAL (
    {earlier_with_number(supplier_id="line.supplier_id", number_key="line.number_key", kind="line.kind")}
) AS earlier
"""

# The same number of a supplier and the same money under another transaction number: paid twice? Not of a number under
# which it is paid again and again; of the thousands that bear one, some are looked at.
_LOOKED_AT = 100
_PAID_BEFORE = f"""
SELECT line.place, earlier.of_many, earlier.id
FROM unnest(
    string_to_array($1, E'\\x1f')::uuid[], string_to_array($2, E'\\x1f'), string_to_array($3, E'\\x1f')::bigint[],
    string_to_array($4, E'\\x1f')
) WITH ORDINALITY AS line(supplier_id, invoice_number_key, gross_pence, number, place)
CROSS JOIN LATERAL (
    SELECT count(DISTINCT number) > {MOST_PAYMENTS_OF_ONE} OR count(*) = {_LOOKED_AT} AS of_many,
        (array_agg(id ORDER BY id) FILTER (WHERE gross_pence = line.gross_pence AND number <> line.number))[1] AS id
    FROM (
        SELECT id, gross_pence, number FROM invoice
        WHERE invoice_number_key = line.invoice_number_key AND supplier_id = line.supplier_id
            AND status NOT IN ({ENDED_SQL})
        LIMIT {_LOOKED_AT}
    ) AS paid
) AS earlier
WHERE earlier.of_many OR earlier.id IS NOT NULL
"""

_REPEATED = "SELECT line_key, occurrences FROM repeated_line WHERE import_id = $1 AND line_key = ANY($2::text[])"

_REMEMBER = """
INSERT INTO repeated_line (import_id, line_key, occurrences)
SELECT $1, line.line_key, line.occurrences FROM unnest($2::text[], $3::int[]) AS line(line_key, occurrences)
ON CONFLICT (import_id, line_key) DO UPDATE SET occurrences = excluded.occurrences
"""


class _RefusedRow(NamedTuple):
    id: UUID
    import_id: UUID
    line_number: int
    field: str
    code: str
    problem: str
    expected: str
    raw: str


class PublishedPayment(NamedTuple):
    """What a published payment is compared by: whose it is, the supplier's number, pence, and the payer's number."""

    supplier_id: str
    invoice_number_key: str
    gross_pence: int
    number: str


async def existing(connection: Any, system: str, references: Sequence[str]) -> dict[str, Any]:
    """The invoices of a source system that are there already, with their content, import and payment."""
    return {row["source_reference"]: row for row in await connection.fetch(_EXISTING, system, _joined(references))}


async def first_with_number(
    connection: Any, supplier_ids: Sequence[str], number_keys: Sequence[str], kinds: Sequence[str]
) -> dict[int, UUID]:
    """The earliest invoice of a supplier, a normalised number and a kind, by place, where there is one (rule D1)."""
    rows = await connection.fetch(_DUPLICATED, *map(_joined, (supplier_ids, number_keys, kinds)))
    return {row["place"] - 1: row["id"] for row in rows}


async def first_paid(connection: Any, payments: Sequence[PublishedPayment]) -> dict[int, UUID | None]:
    """The earliest payment of a supplier's invoice and amount under another transaction number, by place (rule D1).

    None for a number under which the supplier is paid again and again: it is no invoice's.
    """
    columns = [[str(payment[place]) for payment in payments] for place in range(len(PublishedPayment._fields))]
    rows = await connection.fetch(_PAID_BEFORE, *map(_joined, columns))
    return {row["place"] - 1: None if row["of_many"] else row["id"] for row in rows}


def _joined(texts: Sequence[str]) -> str:
    """Thousands of texts as one parameter: the driver takes ten times as long over the elements of an array.

    The unit separator was made a space where these texts were cleaned, so that none holds one.
    """
    return "\x1f".join(texts)


async def number_repeats(
    connection: Any, import_id: UUID, system: str, drafts: Sequence[Draft]
) -> tuple[list[str], dict[str, Any]]:
    """A source reference for each published line, and which of these references are there already.

    The n-th of equal lines in one file has its own reference (rules.occurrence_reference). How many came in
    earlier batches is plain where the first is not stored yet (none) and kept in `repeated_line` otherwise, so
    that a file of new lines costs one look-up a batch, and an import that was broken off counts on exactly.
    """
    counted = Counter(draft.reference for draft in drafts)
    found = await existing(connection, system, list(counted))
    before = await _occurrences_before(connection, import_id, found)
    references, seen = [], Counter(before)
    for draft in drafts:
        seen[draft.reference] += 1
        references.append(occurrence_reference(draft.reference, seen[draft.reference]))
    later = [reference for draft, reference in zip(drafts, references, strict=True) if reference != draft.reference]
    there = found | await existing(connection, system, later) if later else found
    remembered = [key for key, count in counted.items() if count > 1 or key in found]
    if remembered:
        await connection.execute(_REMEMBER, import_id, remembered, [seen[key] for key in remembered])
    return references, there


async def _occurrences_before(connection: Any, import_id: UUID, found: dict[str, Any]) -> dict[str, int]:
    if not found:
        return {}
    rows = await connection.fetch(_REPEATED, import_id, list(found))
    kept = {row["line_key"]: row["occurrences"] for row in rows}
    # A line that this very import stored, once so far, has no row: it was new and alone in its batch.
    return {key: kept.get(key, 1 if row["import_id"] == import_id else 0) for key, row in found.items()}


async def copy_invoices(session: AsyncSession, rows: AssembledRows, context: ImportContext) -> None:
    """Add a batch's invoices with their holds, history and events."""
    await copy_rows(session, "invoice", INVOICE_COLUMNS, rows.invoices)
    await copy_rows(session, "invoice", HELD_COLUMNS, rows.held)
    await copy_rows(session, "invoice_hold", HoldRow._fields, rows.holds)
    await copy_rows(session, "outbox", OUTBOX_COLUMNS, rows.outbox)
    await record_many(session, rows.changes, by=context.by, at=context.at)


async def copy_refusals(
    session: AsyncSession, import_id: UUID, refused: Sequence[Refusal], *, milliseconds: int
) -> None:
    """Keep the lines of a batch that were not accepted."""
    ids = ordered_ids(len(refused), milliseconds=milliseconds)
    rows = [
        _RefusedRow(
            id=line_id,
            import_id=import_id,
            line_number=refusal.line_number,
            field=refusal.field,
            code=refusal.code,
            problem=refusal.problem,
            expected=refusal.expected,
            raw=refusal.raw,
        )
        for line_id, refusal in zip(ids, refused, strict=True)
    ]
    await copy_rows(session, "refused_line", _RefusedRow._fields, rows)
