"""Registering and changing customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.many_rows import rows_by_source
from council_common.database.rows import lock_row
from council_common.errors import SourceReferenceTaken
from council_common.identity.actor import SYSTEM, Actor
from council_common.recording import Change, fact, record, record_many
from council_common.web.bulk import Outcome, refused
from council_common.web.preconditions import must_match
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers import store
from debt_service.ledger.customers.rules import Channel, NewCustomer, check_channel
from debt_service.ledger.customers.store import AddressFailure
from debt_service.ledger.customers.tables import Customer
from debt_service.source_content import content_hash

# How a customer is reached: what is reported of an address before one of these changed says nothing of the new one.
_CONTACT = frozenset({"name", "email", "address", "preferred_channel"})


async def register_customers(
    session: AsyncSession, items: Sequence[tuple[int, NewCustomer]], *, by: Actor, at: datetime
) -> list[Outcome]:
    """Add customers; a source reference that is known answers with what is there, other content is refused.

    The same content is what the source sent first, or what the customer is now: a correction made in both systems is no
    contradiction.
    """
    by_key = {(new.source_system, new.source_reference): new for _, new in reversed(items)}
    # Every request adds in one order: two with the same customers wait for one another, never in a ring.
    created = await store.insert_customers(session, [by_key[key] for key in sorted(by_key)], at=at)
    registered = (Change("customer", customer_id, 1, "registered") for customer_id in created.values())
    await record_many(session, registered, by=by, at=at)
    known = await rows_by_source(session, Customer, by_key)
    outcomes = []
    for index, new in items:
        key = (new.source_system, new.source_reference)
        customer = known[key]
        if created.pop(key, None) is not None:
            outcomes.append(Outcome(index, "created", customer.id))
        elif content_hash(new) == customer.content_hash or not (different := _different(customer, new)):
            outcomes.append(Outcome(index, "existing", customer.id))
        else:
            taken = SourceReferenceTaken("customer", record_id=customer.id, fields=different)
            outcomes.append(refused(index, taken))
    return outcomes


def _different(customer: Customer, new: NewCustomer) -> list[str]:
    """The fields in which a customer is not what its source sends now."""
    return [name for name, value in asdict(new).items() if getattr(customer, name) != value]


async def change_customer(
    session: AsyncSession,
    customer_id: UUID,
    fields: Mapping[str, Any],
    *,
    note: str | None,
    if_match: str | None,
    by: Actor,
    at: datetime,
) -> Customer:
    """Change fields of a customer, of the version the caller read; a value that is there already is no change.

    Raises NotFound, StaleVersion, VersionRequired and NoEmail.
    """
    customer = await lock_row(session, Customer, customer_id)
    must_match(if_match, customer.version)
    changed = sorted(name for name, value in fields.items() if getattr(customer, name) != value)
    if not changed:
        return customer
    if _CONTACT.intersection(changed):
        customer.contact_changed_at = at
    # An address that is corrected has not failed.
    if "email" in changed:
        customer.email_failed_at = None
    if {"address", "name"}.intersection(changed):
        customer.letter_failed_at = None
    for name in changed:
        setattr(customer, name, fields[name])
    check_channel(customer.preferred_channel, customer.email)
    detail: dict[str, Any] = {"fields": changed}
    if note is not None:
        detail["note"] = note
    await record(session, fact(customer, "changed", detail=detail), by=by, at=at)
    return customer


async def note_address_failures(session: AsyncSession, failures: Sequence[AddressFailure], *, at: datetime) -> None:
    """Addresses turned out to be unusable: nothing goes there until they are corrected or confirmed."""
    marked = await store.mark_failed(session, failures)
    changes = (
        Change("customer", customer_id, version, f"{channel} address failed", reason=reason)
        for customer_id, version, channel, reason in marked
    )
    await record_many(session, changes, by=SYSTEM, at=at)


async def note_addresses_work(
    session: AsyncSession, working: Sequence[tuple[UUID, Channel, datetime]], *, at: datetime
) -> None:
    """Something left for these customers, or an officer says that it can: what failed before counts no more."""
    marked = await store.unmark_failed(session, working)
    changes = (
        Change("customer", customer_id, version, f"{channel} address works again")
        for customer_id, version, channel in marked
    )
    await record_many(session, changes, by=SYSTEM, at=at)
