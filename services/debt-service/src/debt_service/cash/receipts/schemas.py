"""Receipts on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from debt_service.cash.receipts.rules import (
    AllocationBasis,
    AllocationRequest,
    NewReceipt,
    ReceiptMethod,
    ReceiptStatus,
    UnallocatedReason,
)
from debt_service.cash.receipts.tables import Allocation, Receipt
from debt_service.fields import NO_CONTROL_CHARACTERS, Day, PositivePence, Sentence, SourceIn
from debt_service.ledger.receivables.schemas import Number

PayerReference = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_CONTROL_CHARACTERS)]


class AllocationIn(BaseModel):
    """A part to be set against one receivable, named by id or number."""

    model_config = ConfigDict(extra="forbid")

    receivable_id: UUID | None = None
    number: Number | None = None
    amount_pence: PositivePence

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.receivable_id is None) == (self.number is None):
            raise ValueError("name the receivable by receivable_id or by number, one of the two")
        return self

    def as_request(self) -> AllocationRequest:
        return AllocationRequest(self.receivable_id, self.number, self.amount_pence)


class ReceiptIn(BaseModel):
    """Money received. Without `allocations` the rules decide: quoted reference, same amount, oldest due."""

    model_config = ConfigDict(extra="forbid")

    source: SourceIn
    received_on: Day
    amount_pence: PositivePence
    method: ReceiptMethod = ReceiptMethod.BACS_CREDIT
    payer_reference: Annotated[PayerReference | None, Field(examples=["R0000123"])] = None
    customer_id: UUID | None = None
    allocations: Annotated[list[AllocationIn], Field(max_length=500)] = []

    def as_new(self) -> NewReceipt:
        return NewReceipt(
            system=self.source.system,
            reference=self.source.reference,
            received_on=self.received_on,
            amount_pence=self.amount_pence,
            method=self.method,
            payer_reference=self.payer_reference,
            customer_id=self.customer_id,
            requests=tuple(allocation.as_request() for allocation in self.allocations),
        )


class AllocationsIn(BaseModel):
    """What an officer sets a receipt against."""

    model_config = ConfigDict(extra="forbid")

    allocations: Annotated[list[AllocationIn], Field(min_length=1, max_length=500)]


class ReversalIn(BaseModel):
    """Why, and on which day (today when absent), the money went back."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Sentence, Field(examples=["refer_to_payer"])]
    reversed_on: Day | None = None


class AllocationOut(BaseModel):
    """A part of a receipt set against a receivable, and on which basis."""

    id: UUID
    receivable_id: UUID
    amount_pence: int
    basis: AllocationBasis
    allocated_on: date
    allocated_by: str
    reversed_on: date | None


class ReceiptSource(BaseModel):
    system: str
    reference: str


class ReceiptOut(BaseModel):
    """A receipt with its allocations; `unallocated_pence` is on account."""

    id: UUID
    version: int
    source: ReceiptSource
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

    @staticmethod
    def of(receipt: Receipt, allocations: list[Allocation]) -> ReceiptOut:
        left = receipt.amount_pence - receipt.allocated_pence if receipt.status == ReceiptStatus.RECEIVED else 0
        return ReceiptOut(
            source=ReceiptSource(system=receipt.system, reference=receipt.reference),
            unallocated_pence=left,
            on_account_reason=receipt.on_account_reason if left else None,
            allocations=[AllocationOut(**allocation.values("receipt_id")) for allocation in allocations],
            **receipt.values("system", "reference", "created_at", "content_hash", "on_account_reason"),
        )
