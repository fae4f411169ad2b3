"""The statements on the projection of suppliers; all of them take many suppliers at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from council_common.database.sessions import driver, fetch_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.suppliers.rules import KnownSupplier

_LOCK = "SELECT supplier_id FROM supplier WHERE supplier_id = ANY($1::uuid[]) ORDER BY supplier_id FOR NO KEY UPDATE"

_KEEP = """
INSERT INTO supplier (supplier_id, source_system, source_reference, status, payment_terms_days, open_changes, version)
SELECT supplier_id, source_system, source_reference, status, terms, '{}', version
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[])
    AS fact(supplier_id, source_system, source_reference, status, terms, version)
ORDER BY supplier_id
ON CONFLICT (supplier_id) DO UPDATE SET
    source_system = coalesce(excluded.source_system, supplier.source_system),
    source_reference = coalesce(excluded.source_reference, supplier.source_reference),
    status = excluded.status,
    payment_terms_days = excluded.payment_terms_days,
    version = excluded.version
WHERE supplier.version < excluded.version OR supplier.source_system IS NULL
"""

_OPEN_CHANGES = """
UPDATE supplier SET open_changes = open_changes || fact.change_id
FROM unnest($1::uuid[], $2::uuid[]) AS fact(supplier_id, change_id)
WHERE supplier.supplier_id = fact.supplier_id AND NOT fact.change_id = ANY(open_changes)
"""

_SET_STATUS = """
UPDATE supplier SET status = $3, version = fact.version
FROM unnest($1::uuid[], $2::int[]) AS fact(supplier_id, version)
WHERE supplier.supplier_id = fact.supplier_id AND supplier.version < fact.version
"""

_STATUSES = "SELECT supplier_id, status FROM supplier WHERE supplier_id = ANY($1::uuid[])"

_SET_TERMS = """
UPDATE supplier SET status = fact.status, payment_terms_days = fact.terms, version = fact.version
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) AS fact(supplier_id, status, terms, version)
WHERE supplier.supplier_id = fact.supplier_id AND supplier.version < fact.version
"""

_CLOSE_CHANGES = """
UPDATE supplier SET open_changes = array_remove(open_changes, fact.change_id)
FROM unnest($1::uuid[], $2::uuid[]) AS fact(supplier_id, change_id)
WHERE supplier.supplier_id = fact.supplier_id
RETURNING supplier.supplier_id, cardinality(supplier.open_changes) AS still_open
"""

_BY_REFERENCE = """
SELECT source_reference, supplier_id, status, payment_terms_days, open_changes
FROM supplier WHERE source_system = $1 AND source_reference = ANY($2::text[])
"""

_NAMED = """
SELECT supplier_id, source_system, source_reference, status, payment_terms_days, open_changes FROM supplier
WHERE supplier_id = ANY($1::uuid[])
    OR (source_system, source_reference) IN (SELECT * FROM unnest($2::text[], $3::text[]))
ORDER BY supplier_id
"""

_BLOCKS = """
SELECT supplier_id, status, open_changes FROM supplier
WHERE supplier_id = ANY($1::uuid[]) ORDER BY supplier_id FOR SHARE
"""


async def keep(session: AsyncSession, suppliers: Sequence[KnownSupplier]) -> None:
    """Store suppliers as supplier-service has them; what is newer here stays."""
    connection = await driver(session)
    await connection.execute(
        _KEEP,
        [supplier.supplier_id for supplier in suppliers],
        [supplier.source_system for supplier in suppliers],
        [supplier.source_reference for supplier in suppliers],
        [supplier.status for supplier in suppliers],
        [supplier.payment_terms_days for supplier in suppliers],
        [supplier.version for supplier in suppliers],
    )
    open_changes = [(supplier.supplier_id, change) for supplier in suppliers for change in supplier.open_changes]
    if open_changes:
        await connection.execute(_OPEN_CHANGES, *map(list, zip(*open_changes, strict=True)))


async def lock(session: AsyncSession, supplier_ids: Sequence[UUID]) -> None:
    """Lock suppliers in the order of their ids, before their invoices."""
    await (await driver(session)).fetch(_LOCK, supplier_ids)


async def set_status(session: AsyncSession, supplier_ids: Sequence[UUID], versions: Sequence[int], status: str) -> None:
    """Held or released; a fact older than what is known changes nothing."""
    await (await driver(session)).execute(_SET_STATUS, supplier_ids, versions, status)


async def statuses(session: AsyncSession, supplier_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The status of suppliers; those that are not known here are left out."""
    rows = await (await driver(session)).fetch(_STATUSES, supplier_ids)
    return {row["supplier_id"]: row["status"] for row in rows}


async def set_terms(
    session: AsyncSession, supplier_ids: Sequence[UUID], statuses: list[str], terms: list[int], versions: list[int]
) -> None:
    """Status and payment terms of changed suppliers."""
    await (await driver(session)).execute(_SET_TERMS, supplier_ids, statuses, terms, versions)


async def open_changes(session: AsyncSession, supplier_ids: Sequence[UUID], change_ids: Sequence[UUID]) -> None:
    """Note bank-account changes that were asked for."""
    await (await driver(session)).execute(_OPEN_CHANGES, supplier_ids, change_ids)


async def close_changes(
    session: AsyncSession, supplier_ids: Sequence[UUID], change_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """Forget decided bank-account changes; how many are still open, per supplier."""
    rows = await (await driver(session)).fetch(_CLOSE_CHANGES, supplier_ids, change_ids)
    return {row["supplier_id"]: row["still_open"] for row in rows}


async def by_reference(session: AsyncSession, system: str, references: Sequence[str]) -> dict[str, Any]:
    """Suppliers of a source system by their references there: rows with id, status, terms and open changes."""
    rows = await (await driver(session)).fetch(_BY_REFERENCE, system, references)
    return {row["source_reference"]: row for row in rows}


async def share(session: AsyncSession, supplier_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Status and open changes of suppliers, which stay as they are until this transaction ends."""
    rows = await (await driver(session)).fetch(_BLOCKS, sorted(supplier_ids))
    return {row["supplier_id"]: row for row in rows}


SupplierName: TypeAlias = tuple[UUID | None, str | None, str | None]
"""How a request names a supplier: by our id, or by its source system and reference there."""


class NamedSuppliers:
    """Suppliers as a request names them: rows with status, terms and open changes."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._by_id = {row["supplier_id"]: row for row in rows}
        self._by_source = {(row["source_system"], row["source_reference"]): row for row in rows}

    @classmethod
    async def find(cls, session: AsyncSession, names: Iterable[SupplierName]) -> NamedSuppliers:
        """Those of the suppliers that are known here."""
        return cls(await fetch_all(session, _NAMED, *_columns(names)))

    @classmethod
    async def share(cls, session: AsyncSession, names: Iterable[SupplierName]) -> NamedSuppliers:
        """The same; they stay as they are until this transaction ends."""
        return cls(await fetch_all(session, f"{_NAMED} FOR SHARE", *_columns(names)))

    def of(self, supplier_id: UUID | None, system: str | None, reference: str | None) -> Any | None:
        """The supplier of a name, None where it is not known here."""
        return self._by_id.get(supplier_id) if supplier_id else self._by_source.get((system, reference))


def _columns(names: Iterable[SupplierName]) -> tuple[list[UUID], list[str], list[str]]:
    distinct = set(names)
    sources = [(system, reference) for supplier_id, system, reference in distinct if supplier_id is None]
    return (
        [supplier_id for supplier_id, _, _ in distinct if supplier_id is not None],
        [str(system) for system, _ in sources],
        [str(reference) for _, reference in sources],
    )
