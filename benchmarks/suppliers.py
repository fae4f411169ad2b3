"""Suppliers that invoice-service knows before a benchmark begins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from council_common.ids import new_id

SYSTEM = "erp"


def reference(number: int) -> str:
    """A supplier's reference in the ERP."""
    return f"S{number:06}"


async def fill_suppliers(url: str, count: int) -> list[UUID]:
    """Active suppliers S000000, S000001 … in the service's projection; their ids."""
    ids = [new_id() for _ in range(count)]
    rows: list[tuple[Any, ...]] = [
        (each, SYSTEM, reference(number), "active", 30, [], 1) for number, each in enumerate(ids)
    ]
    connection = await asyncpg.connect(url)
    await connection.copy_records_to_table("supplier", records=rows)
    await connection.execute("ANALYZE supplier")
    await connection.close()
    return ids
