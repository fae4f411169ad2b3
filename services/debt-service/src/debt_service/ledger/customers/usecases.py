"""Registering and changing customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.history import record_change
from council_common.identity.actor import Actor
from council_common.web.preconditions import must_match
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.bulk import Outcome, SourceReused, content_hash, refused
from debt_service.ledger.customers import store
from debt_service.ledger.customers.rules import NewCustomer, check_channel
from debt_service.ledger.customers.tables import Customer
from debt_service.records import Change, write_changes

# How a customer is reached: a notice that failed for want of an address may be issued again once one of these changes.
_CONTACT = frozenset({"name", "email", "address", "preferred_channel"})


async def register_customers(
    session: AsyncSession, lines: Sequence[tuple[int, NewCustomer]], *, by: Actor, at: datetime
) -> list[Outcome]:
    """Add customers; a source reference that is known answers with what is there, other content is refused.

    The same content is what the source sent first, or what the customer is now: a correction made in both systems is no
    contradiction.
    """
    by_key = {(new.system, new.reference): new for _, new in reversed(lines)}
    # Every request adds in one order: two with the same customers wait for one another, never in a ring.
    created = await store.insert_customers(session, [by_key[key] for key in sorted(by_key)], at=at)
    await write_changes(
        session, (Change("customer", customer_id, 1, "registered") for customer_id in created.values()), by=by, at=at
    )
    known = await store.customers_by_source(session, by_key)
    outcomes = []
    for line, new in lines:
        key = (new.system, new.reference)
        customer = known[key]
        if created.pop(key, None) is not None:
            outcomes.append(Outcome(line, "created", customer.id))
        elif content_hash(new) == customer.content_hash or _is_now(customer, new):
            outcomes.append(Outcome(line, "existing", customer.id))
        else:
            outcomes.append(refused(line, SourceReused("a new reference, or PATCH")))
    return outcomes


def _is_now(customer: Customer, new: NewCustomer) -> bool:
    return all(getattr(customer, name) == value for name, value in asdict(new).items())


async def change_customer(
    session: AsyncSession,
    customer_id: UUID,
    values: dict[str, Any],
    *,
    if_match: str | None,
    by: Actor,
    at: datetime,
    reason: str | None,
) -> Customer:
    """Change what the caller names, in the version the caller read; raises NoEmail and a failed precondition."""
    customer = await store.lock_customer(session, customer_id)
    must_match(if_match, customer.version)
    if any(name in _CONTACT and value != getattr(customer, name) for name, value in values.items()):
        customer.contact_changed_at = at
    for name, value in values.items():
        setattr(customer, name, value)
    check_channel(customer.preferred_channel, customer.email)
    customer.version += 1
    await record_change(
        session,
        entity="customer",
        entity_id=customer.id,
        version=customer.version,
        action="changed",
        by=by,
        at=at,
        reason=reason,
        detail={"fields": sorted(values)},
    )
    await session.flush()
    return customer
