"""Whether an invoice that becomes payable again has to wait for its supplier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices.rules import HoldReason
from invoice_service.register.invoices.tables import Invoice, InvoiceHold
from invoice_service.register.invoices.usecases import add_hold_reason
from invoice_service.register.suppliers import store
from invoice_service.register.suppliers.rules import hold_reasons


@dataclass(frozen=True, slots=True)
class SupplierState:
    """The reasons for which a supplier may not be paid, as they stay until this transaction ends."""

    reasons: tuple[str, ...]

    def hold(self, invoice: Invoice, *, by: Actor, at: datetime) -> list[InvoiceHold]:
        """Hold the (locked) invoice for those of the reasons that are new; the holds to be recorded with it."""
        new = [reason for reason in self.reasons if reason not in invoice.hold_reasons]
        for reason in new:
            add_hold_reason(invoice, reason)
        return [
            InvoiceHold(
                id=new_id(),
                invoice_id=invoice.id,
                reason=HoldReason(reason),
                placed_by=by.subject,
                placed_by_name=by.name,
                placed_at=at,
            )
            for reason in new
        ]


async def supplier_state_of(session: AsyncSession, supplier_id: UUID) -> SupplierState:
    """A supplier's state, locked before the invoice is: the order in which supplier events lock, too."""
    rows = await store.share(session, [supplier_id])
    row = rows.get(supplier_id)
    return SupplierState(tuple(hold_reasons(row["status"], row["open_changes"])) if row else ())
