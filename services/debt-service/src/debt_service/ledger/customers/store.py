"""The statements on customers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from council_common.database.many_rows import SourceKey
from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.ledger.customers.rules import Channel, NewCustomer
from debt_service.ledger.customers.tables import Customer
from debt_service.source_content import content_hash

_INSERT = """
INSERT INTO customer (id, version, source_system, source_reference, kind, name, email, address, preferred_channel,
                      language, suppressed, on_hold, created_at, content_hash)
SELECT id, 1, system, reference, kind, name, email, address::jsonb, channel, language, false, false, $11, hash
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[])
     AS new (id, system, reference, kind, name, email, address, channel, language, hash)
ON CONFLICT (source_reference, source_system) DO NOTHING
RETURNING id, source_system, source_reference
"""

# One column a channel; the first report of several for a customer stands.
_MARK_FAILED = """
UPDATE customer SET {column} = failed.at, version = version + 1
FROM (SELECT DISTINCT ON (id) * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS reported (id, at, reason)
      ORDER BY id, at) failed
WHERE customer.id = failed.id AND customer.{column} IS NULL
    AND (customer.contact_changed_at IS NULL OR customer.contact_changed_at <= failed.at)
RETURNING customer.id, customer.version, failed.reason
"""
_UNMARK_FAILED = """
UPDATE customer SET {column} = NULL, version = version + 1
FROM (SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::timestamptz[]) AS reported (id, at) GROUP BY id) working
WHERE customer.id = working.id AND customer.{column} <= working.at
RETURNING customer.id, customer.version
"""


class AddressFailure(NamedTuple):
    """A message to a customer that failed for its address, by which channel, when, and the code of it."""

    customer_id: UUID
    channel: Channel
    at: datetime
    reason: str


async def insert_customers(
    session: AsyncSession, customers: Sequence[NewCustomer], *, at: datetime
) -> dict[SourceKey, UUID]:
    """Add those whose source reference is new; returns their ids by source. A racing insert is waited for."""
    connection = await driver(session)
    rows = await connection.fetch(
        _INSERT,
        [new_id() for _ in customers],
        [new.source_system for new in customers],
        [new.source_reference for new in customers],
        [new.kind for new in customers],
        [new.name for new in customers],
        [new.email for new in customers],
        [None if new.address is None else json.dumps(new.address) for new in customers],
        [new.preferred_channel for new in customers],
        [new.language for new in customers],
        [content_hash(new) for new in customers],
        at,
    )
    return {(row["source_system"], row["source_reference"]): row["id"] for row in rows}


async def lock_customers_for_share(session: AsyncSession, customer_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Lock customers that exist; returns by id whether one is on hold. No hold is placed or ended until we commit."""
    rows = await session.execute(
        select(col(Customer.id), col(Customer.on_hold))
        .where(col(Customer.id).in_(sorted(set(customer_ids))))
        .order_by(col(Customer.id))
        .with_for_update(read=True)
    )
    return {row.id: row.on_hold for row in rows}


async def names_of(session: AsyncSession, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of customers by their ids."""
    ids = any_(literal(customer_ids, ARRAY(Uuid)))
    rows = await session.execute(select(col(Customer.id), col(Customer.name)).where(col(Customer.id) == ids))
    return {row.id: row.name for row in rows}


async def references_of(session: AsyncSession, customer_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What customers' sources call them, by their ids."""
    ids = any_(literal(sorted(set(customer_ids)), ARRAY(Uuid)))
    rows = await session.execute(
        select(col(Customer.id), col(Customer.source_reference)).where(col(Customer.id) == ids)
    )
    return {row.id: row.source_reference for row in rows}


async def mark_failed(
    session: AsyncSession, failures: Sequence[AddressFailure]
) -> list[tuple[UUID, int, Channel, str]]:
    """Mark addresses that are not corrected since; (id, version, channel, code) of those that are new."""
    connection = await driver(session)
    marked = []
    for channel in Channel:
        reported = [failure for failure in failures if failure.channel == channel]
        if reported:
            rows = await connection.fetch(
                _MARK_FAILED.format(column=f"{channel}_failed_at"),
                [failure.customer_id for failure in reported],
                [failure.at for failure in reported],
                [failure.reason for failure in reported],
            )
            marked += [(row["id"], row["version"], channel, row["reason"]) for row in rows]
    return marked


async def unmark_failed(
    session: AsyncSession, working: Sequence[tuple[UUID, Channel, datetime]]
) -> list[tuple[UUID, int, Channel]]:
    """Take the marks off that are older than what is reported; (id, version, channel) of those that had one."""
    connection = await driver(session)
    unmarked = []
    for channel in Channel:
        reported = [(customer_id, at) for customer_id, by, at in working if by == channel]
        if reported:
            rows = await connection.fetch(
                _UNMARK_FAILED.format(column=f"{channel}_failed_at"),
                [customer_id for customer_id, _ in reported],
                [at for _, at in reported],
            )
            unmarked += [(row["id"], row["version"], channel) for row in rows]
    return unmarked
