"""Receivables on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from council_common.contracts.fields import SourceReference
from council_common.fields import (
    Day,
    Description,
    Form,
    Pence,
    PositivePence,
    RequestModel,
    Sentence,
    ShortName,
    SourceIn,
)
from council_common.money import Percent, half_up
from council_common.web.bulk import BulkIn
from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from debt_service.ledger.receivables.rules import STANDARD_TERM, CancelReason, NewReceivable, ReceivableStatus

Number = Annotated[
    str,
    Form(r"^[A-Z0-9][A-Z0-9/-]{0,39}$", "up to 40 capital letters, digits, / and -, such as R0000123"),
    Field(examples=["R0000123"]),
]


class LineIn(RequestModel):
    """What was charged for."""

    description: Description
    net_pence: Pence
    vat_rate: Percent
    vat_pence: Annotated[
        Pence,
        Field(description="Within a penny of net × rate; zero where the customer accounts for it (reverse charge)."),
    ]

    @field_validator("vat_pence")
    @classmethod
    def _is_the_rate_of_the_net(cls, value: int, known: ValidationInfo) -> int:
        """The council's own tax invoice: its VAT arithmetic has to be right, line by line (council policy)."""
        if value == 0 or not {"net_pence", "vat_rate"} <= known.data.keys():
            return value
        exact: Decimal = known.data["net_pence"] * known.data["vat_rate"] / 100
        if value * exact <= 0 or abs(value - exact) > 1:
            problem = "is not the VAT of net_pence at vat_rate; expected {about}, or within a penny of it"
            raise PydanticCustomError("vat_pence", problem, {"about": half_up(*exact.as_integer_ratio())})
        return value

    def as_stored(self) -> dict[str, Any]:
        """The line as it is stored; "20" and "20.0" are one rate."""
        return {**self.model_dump(mode="json"), "vat_rate": format(self.vat_rate.normalize(), "f")}


def has_no_negative_vat(value: int, known: ValidationInfo) -> int:
    """The VAT of a whole charge is zero or more, whatever its lines take back."""
    if sum(line.vat_pence for line in known.data.get("lines", ())) < 0:
        raise PydanticCustomError("gross_pence", "has negative VAT; expected lines whose VAT sums to zero or more")
    return value


class ReceivableIn(RequestModel):
    """A charge. The customer is named by `customer_id`, or by `customer`: the source reference."""

    source: SourceIn
    customer_id: UUID | None = None
    customer: Annotated[SourceIn | None, Field(validate_default=True)] = None
    number: Number
    department: ShortName
    debt_type: ShortName = "sundry"
    issued_on: Day
    due_on: Annotated[Day | None, Field(description="Thirty days after issue when absent.")] = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=200)]
    gross_pence: PositivePence

    @field_validator("customer")
    @classmethod
    def _names_one_customer(cls, value: SourceIn | None, known: ValidationInfo) -> SourceIn | None:
        if "customer_id" in known.data and (known.data["customer_id"] is None) == (value is None):
            problem = "named twice or not at all; expected the customer by customer_id or by customer, one of the two"
            raise PydanticCustomError("customer", problem)
        return value

    @field_validator("due_on")
    @classmethod
    def _is_due_after_issue(cls, value: date | None, known: ValidationInfo) -> date | None:
        issued_on = known.data.get("issued_on")
        if value is not None and issued_on is not None and value < issued_on:
            raise PydanticCustomError(
                "due_on", "is before issued_on; expected {issued_on} or later", {"issued_on": str(issued_on)}
            )
        return value

    _has_no_negative_vat = field_validator("gross_pence")(has_no_negative_vat)

    def as_new(self) -> NewReceivable:
        """As the rules take it."""
        vat = sum(line.vat_pence for line in self.lines)
        return NewReceivable(
            source_system=self.source.system,
            source_reference=self.source.reference,
            customer_id=self.customer_id,
            customer_source=None if self.customer is None else (self.customer.system, self.customer.reference),
            number=self.number,
            department=self.department,
            debt_type=self.debt_type,
            issued_on=self.issued_on,
            due_on=self.due_on or self.issued_on + STANDARD_TERM,
            lines=tuple(line.as_stored() for line in self.lines),
            net_pence=self.gross_pence - vat,
            vat_pence=vat,
            gross_pence=self.gross_pence,
        )


class ReceivablesIn(BulkIn, of=ReceivableIn):
    """Charges to raise."""


OfficersNote = Annotated[Sentence, Field(description="In the officer's words; kept in the history, never published.")]


class CancellationIn(RequestModel):
    """Why nothing more is owed."""

    reason: CancelReason
    note: OfficersNote


class CreditIn(RequestModel):
    """How much less is owed, VAT included, and why."""

    amount_pence: PositivePence
    reason: CancelReason
    note: OfficersNote


class OverdueMarkingIn(RequestModel):
    """The day as at which receivables are marked."""

    as_at: Day


class OverdueMarkingOut(BaseModel):
    """How many became overdue."""

    as_at: date
    marked: int


class ReceivableOut(BaseModel):
    """A receivable. Part-paid: `outstanding_pence` is less than `gross_pence`."""

    id: UUID
    version: int
    source: SourceReference
    customer_id: UUID
    number: str
    department: str
    debt_type: str
    issued_on: date
    due_on: date
    lines: list[dict[str, Any]]
    net_pence: int
    vat_pence: int
    gross_pence: int
    outstanding_pence: int
    status: ReceivableStatus
    overdue_on: Annotated[date | None, Field(description="The first day it was overdue: that after due_on.")]
    settled_on: date | None
    on_hold: bool
    dunning_level: int
    last_notice_on: date | None
    last_notice_sent_on: Annotated[
        date | None, Field(description="The day the last notice left; null until that is reported.")
    ]
    replaces_id: Annotated[UUID | None, Field(description="The charge it was raised in place of.")]
    counts_from: Annotated[
        date | None, Field(description="The day it counts from in the books, where that is not issued_on.")
    ]

    @classmethod
    def of(cls, receivable: Any) -> ReceivableOut:
        """From a stored receivable, or a row of the list."""
        values = {name: getattr(receivable, name) for name in cls.model_fields if name != "source"}
        source = {"system": receivable.source_system, "reference": receivable.source_reference}
        return cls.model_validate({**values, "source": source})
