"""The statements on failed addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from notification_service.failed_addresses.rules import FailedAddressStatus, Failure
from notification_service.failed_addresses.tables import FailedAddress

_KEEP = """
    INSERT INTO failed_address (id, version, recipient_kind, recipient_id, address, status, code, message_id, failed_at)
    SELECT id, 1, recipient_kind, recipient_id, address, 'failed', code, message_id, $2
    FROM jsonb_to_recordset($1::jsonb) AS failed(
        id uuid, recipient_kind text, recipient_id uuid, address text, code text, message_id uuid)
    ORDER BY recipient_id, address
    ON CONFLICT (recipient_id, address) DO UPDATE
        SET version = failed_address.version + 1, status = 'failed', code = excluded.code,
            message_id = excluded.message_id, failed_at = excluded.failed_at
    RETURNING id, version, code
"""


async def keep_failures(session: AsyncSession, failures: Sequence[Failure], *, at: datetime) -> Sequence[Any]:
    """Keep addresses as failed, each once for its recipient; their ids, versions and codes."""
    rows = [asdict(failure) | {"id": new_id()} for failure in failures]
    return list(await (await driver(session)).fetch(_KEEP, json.dumps(rows, default=str), at))


async def failed_among(session: AsyncSession, addresses: Iterable[str]) -> frozenset[str]:
    """Those of some addresses (as they are compared) that failed, whoever they were tried for."""
    statement = select(col(FailedAddress.address)).where(
        col(FailedAddress.address).in_(set(addresses)), col(FailedAddress.status) == FailedAddressStatus.FAILED
    )
    return frozenset((await session.execute(statement)).scalars())


async def lock_failed(session: AsyncSession, address: str) -> Sequence[FailedAddress]:
    """Every record of a failed address, locked in the order of their ids."""
    statement = select(FailedAddress).where(
        col(FailedAddress.address) == address, col(FailedAddress.status) == FailedAddressStatus.FAILED
    )
    return (await session.execute(statement.order_by(col(FailedAddress.id)).with_for_update())).scalars().all()
