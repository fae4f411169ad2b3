"""Suppliers and the market sectors they belong to: what the figures are broken down by."""

from __future__ import annotations

from collections.abc import Sequence

from council_common.contracts.suppliers import SupplierChangedV1, SupplierRegisteredV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.programme_kpis.store import keep_sectors

handlers = Handlers()


@handlers.on_many(SupplierRegisteredV1)
async def remember_sectors(session: AsyncSession, received: Sequence[Received[SupplierRegisteredV1]]) -> None:
    """Suppliers were registered."""
    await keep_sectors(session, [message.event for message in received])


@handlers.on_many(SupplierChangedV1)
async def remember_changed_sectors(session: AsyncSession, received: Sequence[Received[SupplierChangedV1]]) -> None:
    """Suppliers were changed, their sector perhaps."""
    await keep_sectors(session, [message.event for message in received])
