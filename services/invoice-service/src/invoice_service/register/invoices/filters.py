"""What lists and exports of invoices can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import Select

from invoice_service.fields import TextQuery
from invoice_service.register.invoices import store
from invoice_service.register.invoices.rules import HoldReason, Kind, Status, normalised_number, transaction_key

_Amount = Annotated[int | None, Query(ge=-(10**14), le=10**14, description="Gross, whole pence.")]


@dataclass(frozen=True)
class InvoiceFilter:
    """Conditions that all have to hold; `_from` and `_to` are inclusive.

    A supplier's number is found however it is spelled, a payer's transaction number in capitals or not.
    """

    supplier_id: UUID | None = None
    status: Status | None = None
    kind: Kind | None = None
    number: TextQuery = None
    purchase_order_number: TextQuery = None
    source_system: TextQuery = None
    source_reference: TextQuery = None
    department: TextQuery = None
    received_from: date | None = None
    received_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    gross_pence_from: _Amount = None
    gross_pence_to: _Amount = None
    held: bool | None = None
    hold_reason: HoldReason | None = None
    import_id: UUID | None = None
    historic: bool | None = None

    def statement(self) -> Select[Any]:
        """The invoices asked for."""
        keys = () if self.number is None else (normalised_number(self.number), transaction_key(self.number))
        return store.matching(
            ranges=(
                ("received_on", self.received_from, self.received_to),
                ("due_on", self.due_from, self.due_to),
                ("paid_on", self.paid_from, self.paid_to),
                ("gross_pence", self.gross_pence_from, self.gross_pence_to),
            ),
            equal={
                "supplier_id": self.supplier_id,
                "status": self.status,
                "kind": self.kind,
                "purchase_order_number": self.purchase_order_number,
                "source_system": self.source_system,
                "source_reference": self.source_reference,
                "import_id": self.import_id,
                "historic": self.historic,
            },
            number_keys=keys,
            department=self.department,
            held=self.held,
            hold_reason=self.hold_reason,
        )
