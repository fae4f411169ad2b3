"""Receipts on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.fields import SourceReference
from council_common.fields import WITHOUT_NUL, Code, Day, PositivePence, RequestModel, Sentence, SourceIn
from council_common.web.bulk import BulkIn
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationRequest,
    AllocationReversalReason,
    NewReceipt,
    ReceiptMethod,
    ReceiptStatus,
    UnallocatedReason,
)
from debt_service.ledger.receivables.schemas import Number

# As the bank tells it, characters that nobody sees among them: it is kept so, and read in one form (`quoting.py`).
PayerReference = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=WITHOUT_NUL)]


class AllocationIn(RequestModel):
    """A part to be set against one receivable, named by id or number."""

    receivable_id: UUID | None = None
    number: Number | None = None
    amount_pence: PositivePence

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.receivable_id is None) == (self.number is None):
            raise ValueError("name the receivable by receivable_id or by number, one of the two")
        return self

    def as_request(self) -> AllocationRequest:
        """As the rules take it."""
        return AllocationRequest(self.receivable_id, self.number, self.amount_pence)


class ReceiptIn(RequestModel):
    """Money received. Without `allocations` the rules decide: quoted reference, same amount, oldest due."""

    source: SourceIn
    received_on: Day
    amount_pence: PositivePence
    method: ReceiptMethod = ReceiptMethod.BACS_CREDIT
    payer_reference: Annotated[PayerReference | None, Field(examples=["R0000123"])] = None
    customer_id: UUID | None = None
    allocations: Annotated[list[AllocationIn], Field(max_length=500, default_factory=list)]

    def as_new(self) -> NewReceipt:
        """As the rules take it."""
        return NewReceipt(
            source_system=self.source.system,
            source_reference=self.source.reference,
            received_on=self.received_on,
            amount_pence=self.amount_pence,
            method=self.method,
            payer_reference=self.payer_reference,
            customer_id=self.customer_id,
            requests=tuple(allocation.as_request() for allocation in self.allocations),
        )


class ReceiptsIn(BulkIn, of=ReceiptIn):
    """Receipts to record, in their order."""


class AllocationsIn(RequestModel):
    """What an officer sets a receipt against, and why."""

    allocations: Annotated[list[AllocationIn], Field(min_length=1, max_length=500)]
    note: Sentence | None = None


class AllocationReversalIn(RequestModel):
    """Why one allocation was wrong."""

    reason: AllocationReversalReason
    note: Sentence


class ReversalIn(RequestModel):
    """Why, and on which day (today when absent), the money went back."""

    reason: Annotated[Code, Field(examples=["refer_to_payer"])]
    note: Sentence | None = None
    reversed_on: Day | None = None


class AllocationOut(BaseModel):
    """A part of a receipt set against a receivable, and on which basis."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    receivable_id: UUID
    amount_pence: int
    basis: AllocationBasis
    allocated_on: date
    allocated_by: str
    allocated_by_name: str
    reversed_on: date | None
    reversal_reason: str | None
    moved_from_id: Annotated[UUID | None, Field(description="The allocation to a corrected charge that it was.")]


class ReceiptOut(BaseModel):
    """A receipt with its allocations; `unallocated_pence` is on account."""

    id: UUID
    version: int
    source: SourceReference
    received_on: date
    amount_pence: int
    allocated_pence: int
    unallocated_pence: int
    method: ReceiptMethod
    payer_reference: str | None
    customer_id: UUID | None
    status: ReceiptStatus
    reversed_on: date | None
    reversal_reason: str | None
    on_account_reason: Annotated[
        UnallocatedReason | None, Field(description="Why something is left for an officer; null where nothing is.")
    ]
    allocations: list[AllocationOut]

    @classmethod
    def of(cls, receipt: Any, allocations: Sequence[Any]) -> ReceiptOut:
        """From a stored receipt, or a row of the list, with its allocations."""
        left = receipt.amount_pence - receipt.allocated_pence if receipt.status == ReceiptStatus.RECEIVED else 0
        values = {name: getattr(receipt, name) for name in cls.model_fields if name not in _COMPUTED}
        return cls(
            **values,
            source=SourceReference(system=receipt.source_system, reference=receipt.source_reference),
            unallocated_pence=left,
            on_account_reason=receipt.on_account_reason if left else None,
            allocations=[AllocationOut.model_validate(allocation) for allocation in allocations],
        )


_COMPUTED = {"source", "unallocated_pence", "on_account_reason", "allocations"}
