"""A page from the middle of a list of a million invoices, against the same indexed SELECT by the driver.

What the API makes of the rows is not counted on either side.
"""

from __future__ import annotations

import asyncpg
from council_common.database.sessions import driver, driver_url, make_engine, make_sessions
from council_common.ids import new_id
from invoice_service.register.invoices.lists import InvoiceList
from invoice_service.register.invoices.tables import Invoice

from benchmarks.measure import Measured, alternating
from benchmarks.parts import Parts

ROWS = 1_000_000
PAGES = 200
LIMIT = 50

_FILL = """
INSERT INTO invoice (id, version, kind, supplier_id, source_system, source_reference, content_hash, number, number_key,
    issued_on, received_on, due_on, lines, net_pence, vat_pence, gross_pence, status, historic, received_by,
    received_by_name, received_at)
SELECT gen_random_uuid(), 1, 'invoice', $1, 'erp', g::text, '', g::text, g::text, date '2024-01-01',
    date '2024-01-01' + g % 900, date '2024-02-01' + g % 900,
    '[{"description": "Works", "net_pence": 10000, "vat_rate": "20", "vat_pence": 2000, "department": "roads"}]',
    10000, 2000, 12000, 'received', false, 'erp', 'erp', now()
FROM generate_series(1, $2::int) AS g
"""
_KEYS = "SELECT received_on, id FROM invoice ORDER BY received_on DESC, id DESC OFFSET $1 LIMIT 1"


async def measure(parts: Parts) -> Measured:
    """Pages of 50 behind the 500,000th of a million invoices, and the bare SELECT on the same pool."""
    url = parts.database("invoice")
    connection = await asyncpg.connect(driver_url(url), command_timeout=600)
    await connection.execute(_FILL, new_id(), ROWS)
    await connection.execute("VACUUM ANALYZE invoice")
    [(received_on, last_id)] = await connection.fetch(_KEYS, ROWS // 2)
    engine = make_engine(url, pool_size=1)
    sessions = make_sessions(engine)
    query = InvoiceList(limit=LIMIT)
    cursor = query.order.cursor_of((received_on, last_id))
    columns = ", ".join(column.name for column in Invoice.__table__.columns)  # type: ignore[attr-defined]
    bare = (
        f"SELECT {columns} FROM invoice WHERE (received_on, id) < ($1, $2) "
        f"ORDER BY received_on DESC, id DESC LIMIT {LIMIT + 1}"
    )

    async def ours() -> int:
        for _ in range(PAGES):
            async with sessions() as session:
                rows, following = await InvoiceList(limit=LIMIT, cursor=cursor).page(session)
            if len(rows) != LIMIT or following is None:
                raise RuntimeError("that was not a page of the middle")
        return PAGES

    async def limit() -> int:
        for _ in range(PAGES):
            async with sessions() as session:
                await (await driver(session)).fetch(bare, received_on, last_id)
        return PAGES

    await ours()
    await limit()
    figure, bound = await alternating(ours, limit)
    await engine.dispose()
    await connection.close()
    return Measured("a page from the middle of 1,000,000", "the same indexed SELECT", figure, bound, 0.5, 0.7)
