"""Every query about customers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.ids import new_id
from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from debt_service.bulk import content_hash
from debt_service.ledger.customers.rules import CustomerNotFound, NewCustomer
from debt_service.ledger.customers.tables import Customer

SourceKey = tuple[str, str]

_INSERT = """
INSERT INTO customer (id, version, system, reference, kind, name, email, address, preferred_channel, language,
                      suppressed, on_hold, created_at, content_hash)
SELECT id, 1, system, reference, kind, name, email, address::jsonb, channel, language, false, false, $11, hash
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[])
     AS new (id, system, reference, kind, name, email, address, channel, language, hash)
ON CONFLICT (system, reference) DO NOTHING
RETURNING id, system, reference
"""


async def insert_customers(
    session: AsyncSession, customers: Sequence[NewCustomer], *, at: datetime
) -> dict[SourceKey, UUID]:
    """Add those whose source reference is new; returns their ids by source. A racing insert is waited for."""
    connection = await driver(session)
    rows = await connection.fetch(
        _INSERT,
        [new_id() for _ in customers],
        [each.system for each in customers],
        [each.reference for each in customers],
        [each.kind for each in customers],
        [each.name for each in customers],
        [each.email for each in customers],
        [None if each.address is None else json.dumps(each.address) for each in customers],
        [each.preferred_channel for each in customers],
        [each.language for each in customers],
        [content_hash(each) for each in customers],
        at,
    )
    return {(row["system"], row["reference"]): row["id"] for row in rows}


async def customers_by_source(session: AsyncSession, keys: Iterable[SourceKey]) -> dict[SourceKey, Customer]:
    """The customers a source system knows by these references."""
    wanted = tuple_(col(Customer.system), col(Customer.reference)).in_(list(keys))
    found = await session.scalars(select(Customer).where(wanted))
    return {(each.system, each.reference): each for each in found}


async def get_customer(session: AsyncSession, customer_id: UUID) -> Customer:
    """One customer; raises CustomerNotFound."""
    customer = await session.get(Customer, customer_id)
    if customer is None:
        raise CustomerNotFound("There is no customer with this id.")
    return customer


async def lock_customer(session: AsyncSession, customer_id: UUID) -> Customer:
    """One customer, its row locked; raises CustomerNotFound.

    No key lock: whoever holds a receivable or receipt may still name the customer (a foreign key's check), or a hold
    on a customer, which locks its receivables next, and a bank file would wait for one another in a ring.
    """
    customer = await session.get(Customer, customer_id, with_for_update={"key_share": True}, populate_existing=True)
    if customer is None:
        raise CustomerNotFound("There is no customer with this id.")
    return customer


async def lock_customers_for_share(session: AsyncSession, customer_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Which customers exist, and whether each is on hold; no hold is placed or ended until we commit."""
    rows = await session.execute(
        select(col(Customer.id), col(Customer.on_hold))
        .where(col(Customer.id).in_(sorted(set(customer_ids))))
        .order_by(col(Customer.id))
        .with_for_update(read=True)
    )
    return {row.id: row.on_hold for row in rows}


def customers_where(
    *, ids: Sequence[UUID], system: str | None, reference: str | None, kind: str | None, q: str | None
) -> Select[Any]:
    """The list of customers, filtered."""
    statement: Select[Any] = select(Customer)
    if ids:
        statement = statement.where(col(Customer.id).in_(ids))
    if system is not None:
        statement = statement.where(col(Customer.system) == system)
    if reference is not None:
        statement = statement.where(col(Customer.reference) == reference)
    if kind is not None:
        statement = statement.where(col(Customer.kind) == kind)
    if q is not None:
        statement = statement.where(col(Customer.name).icontains(q, autoescape=True))
    return statement
