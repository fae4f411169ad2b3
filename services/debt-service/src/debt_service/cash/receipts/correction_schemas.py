"""The correction of a charge on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.fields import Day, PositivePence, RequestModel, ShortName, SourceIn
from pydantic import Field, field_validator

from debt_service.cash.receipts.correcting import Replacement
from debt_service.cash.receipts.rules import Payments
from debt_service.ledger.receivables.rules import CancelReason
from debt_service.ledger.receivables.schemas import LineIn, Number, OfficersNote, has_no_negative_vat


class ReplacementIn(RequestModel):
    """The charge as it should have been; what is absent stays as it was charged. Its tax point stays in any case."""

    source: SourceIn
    number: Number
    customer_id: UUID | None = None
    department: ShortName | None = None
    debt_type: ShortName | None = None
    due_on: Annotated[
        Day | None,
        Field(
            description="When absent that of the wrong charge; thirty days from today where the customer is another."
        ),
    ] = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=200)]
    gross_pence: PositivePence

    _has_no_negative_vat = field_validator("gross_pence")(has_no_negative_vat)

    def as_replacement(self) -> Replacement:
        """As the use case takes it."""
        vat = sum(line.vat_pence for line in self.lines)
        return Replacement(
            source_system=self.source.system,
            source_reference=self.source.reference,
            number=self.number,
            customer_id=self.customer_id,
            department=self.department,
            debt_type=self.debt_type,
            due_on=self.due_on,
            lines=tuple(line.as_stored() for line in self.lines),
            net_pence=self.gross_pence - vat,
            vat_pence=vat,
            gross_pence=self.gross_pence,
        )


class CorrectionIn(RequestModel):
    """Why a charge was wrong, the one that takes its place, and what becomes of its payments."""

    reason: CancelReason
    note: OfficersNote
    receivable: ReplacementIn
    payments: Annotated[
        Payments | None,
        Field(
            description="move: to the new charge; release: back on account of who paid. "
            "When absent they move; it has to be said where the customer changes."
        ),
    ] = None
