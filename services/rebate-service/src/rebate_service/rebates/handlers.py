"""Invoices that arrive and invoices that will not be paid: what is expected of them.

Payments are handled one room higher, in `rebate_variances`: what they earned is compared with what was deducted.
"""

from __future__ import annotations

from collections.abc import Sequence

from council_common.contracts.invoices import InvoiceCancelledV1, InvoiceReceivedV1, InvoiceSettledV1
from council_common.events.handlers import Handlers, Received
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebates.usecases import expect_rebates, withdraw_rebates

handlers = Handlers()


@handlers.on_many(InvoiceReceivedV1)
async def expect_rebate(session: AsyncSession, received: Sequence[Received[InvoiceReceivedV1]]) -> None:
    """Invoices were received: what would they earn on the target day."""
    await expect_rebates(session, [arrival.event for arrival in received], at=received[0].now)


@handlers.on_many(InvoiceSettledV1)
async def withdraw_of_zero(session: AsyncSession, received: Sequence[Received[InvoiceSettledV1]]) -> None:
    """Invoices came to zero: nothing is expected of them."""
    await withdraw_rebates(session, [arrival.event for arrival in received], at=received[0].now)


@handlers.on_many(InvoiceCancelledV1)
async def withdraw_expectations(session: AsyncSession, received: Sequence[Received[InvoiceCancelledV1]]) -> None:
    """Invoices will not be paid: nothing is expected of them."""
    await withdraw_rebates(session, [arrival.event for arrival in received], at=received[0].now)
