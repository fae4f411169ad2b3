"""What becomes of invoices when something happens to their supplier."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from council_common.contracts.suppliers import (
    BankAccountActivatedV1,
    BankAccountChangeRejectedV1,
    BankAccountChangeRequestedV1,
    SupplierChangedV1,
    SupplierHeldV1,
    SupplierRegisteredV1,
    SupplierReleasedV1,
)
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.supplier_holds import Cause, hold_invoices, release_invoices
from invoice_service.register.suppliers import usecases as suppliers
from invoice_service.register.suppliers.rules import BANK_ACCOUNT_CHANGE, SUPPLIER_HELD

handlers = Handlers()


@handlers.on_many(SupplierRegisteredV1)
async def remember_suppliers(session: AsyncSession, received: Sequence[Received[SupplierRegisteredV1]]) -> None:
    await suppliers.keep_registered(session, [message.event for message in received])


@handlers.on_many(SupplierChangedV1)
async def remember_changes(session: AsyncSession, received: Sequence[Received[SupplierChangedV1]]) -> None:
    await suppliers.keep_changed(session, [message.event for message in received])


@handlers.on_many(SupplierHeldV1)
async def hold_for_supplier(session: AsyncSession, received: Sequence[Received[SupplierHeldV1]]) -> None:
    held = await suppliers.keep_held(session, [message.event for message in received])
    await hold_invoices(session, _causes(received, of=held), reason=SUPPLIER_HELD, at=received[0].now)


@handlers.on_many(SupplierReleasedV1)
async def release_for_supplier(session: AsyncSession, received: Sequence[Received[SupplierReleasedV1]]) -> None:
    free = await suppliers.keep_released(session, [message.event for message in received])
    await release_invoices(session, _causes(received, of=free), reason=SUPPLIER_HELD, at=received[0].now)


@handlers.on_many(BankAccountChangeRequestedV1)
async def hold_for_bank_change(
    session: AsyncSession, received: Sequence[Received[BankAccountChangeRequestedV1]]
) -> None:
    events = [message.event for message in received]
    await suppliers.open_changes(session, events)
    causes = _causes(received, of={event.supplier_id for event in events})
    await hold_invoices(session, causes, reason=BANK_ACCOUNT_CHANGE, at=received[0].now)


@handlers.on_many(BankAccountChangeRejectedV1)
async def release_for_rejected_change(
    session: AsyncSession, received: Sequence[Received[BankAccountChangeRejectedV1]]
) -> None:
    await _end_changes(session, received)


@handlers.on_many(BankAccountActivatedV1)
async def release_for_new_account(session: AsyncSession, received: Sequence[Received[BankAccountActivatedV1]]) -> None:
    await _end_changes(session, received)


async def _end_changes(
    session: AsyncSession,
    received: Sequence[Received[BankAccountChangeRejectedV1] | Received[BankAccountActivatedV1]],
) -> None:
    clear = await suppliers.close_changes(session, [message.event for message in received])
    await release_invoices(session, _causes(received, of=clear), reason=BANK_ACCOUNT_CHANGE, at=received[0].now)


def _causes(received: Sequence[Received[Any]], *, of: Collection[UUID]) -> list[Cause]:
    """Who began it, for these suppliers."""
    return [
        Cause(message.event.supplier_id, message.event.by) for message in received if message.event.supplier_id in of
    ]
