"""Events of debt-service: money owed to the council, from invoice to settlement."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from council_common.contracts.fields import (
    CustomerId,
    Day,
    HoldId,
    NoticeId,
    Pence,
    ReceiptId,
    ReceivableId,
    RunId,
    Source,
)
from council_common.events.contract import Event

HoldCategory = Annotated[
    Literal["breathing_space", "other"],
    BeforeValidator(lambda kind: kind if kind == "breathing_space" else "other"),
    Field(
        examples=["other"],
        description="Breathing space binds every part of the council (SI 2020/1311); other reasons stay with us.",
    ),
]


class ReceivableEvent(Event, topic="debts.v1", producer="debt-service", key="receivable_id"):
    """About one receivable."""

    receivable_id: ReceivableId
    customer_id: CustomerId


class ReceivableRaisedV1(ReceivableEvent):
    """A service department charged a customer."""

    source: Source
    number: Annotated[str, Field(examples=["R0000123"])]
    department: Annotated[str, Field(examples=["commercial_waste"])]
    debt_type: Annotated[str, Field(examples=["sundry"])]
    issued_on: Day
    due_on: Day
    gross_pence: Pence
    replaces_id: Annotated[ReceivableId | None, Field(description="The charge it was raised in place of.")] = None


class ReceivableOverdueV1(ReceivableEvent):
    """The due date passed with money still owed."""

    due_on: Day
    outstanding_pence: Pence


class ReceivableCancelledV1(ReceivableEvent):
    """A receivable was cancelled by a credit note."""

    cancelled_pence: Pence
    reason: Annotated[str, Field(examples=["raised_in_error"], description="A code, never free text.")]


class ReceivableCreditedV1(ReceivableEvent):
    """A part of a receivable was taken back by a credit note; the rest stays owed."""

    credited_pence: Pence
    outstanding_pence: Pence
    reason: Annotated[str, Field(examples=["wrong_amount"], description="A code, never free text.")]


class ReceiptAllocatedV1(ReceivableEvent):
    """Money received was set against a receivable."""

    receipt_id: ReceiptId
    received_on: Day
    allocated_pence: Pence
    outstanding_pence: Annotated[Pence, Field(examples=[0])]
    basis: Annotated[str, Field(examples=["quoted_reference"], description="Why this receivable.")]


class AllocationReversedV1(ReceivableEvent):
    """Money was set against a receivable by mistake and is on account again: owed again. The receipt itself stands."""

    receipt_id: ReceiptId
    reversed_on: Day
    reversed_pence: Pence
    outstanding_pence: Pence
    status: Annotated[str, Field(examples=["overdue"], description="What it is now: open or overdue.")]
    reason: Annotated[str, Field(examples=["wrong_debt"], description="A code, never free text.")]


class ReceiptReversedV1(ReceivableEvent):
    """Money that was set against a receivable came back (a bounced cheque, an unpaid Direct Debit): owed again."""

    receipt_id: ReceiptId
    reversed_on: Day
    reversed_pence: Pence
    outstanding_pence: Pence
    status: Annotated[str, Field(examples=["overdue"], description="What it is now: open or overdue.")]


class ReceivableSettledV1(ReceivableEvent):
    """Nothing is owed any more."""

    settled_on: Day


class HoldPlacedV1(ReceivableEvent):
    """No letter about this receivable until the hold ends."""

    hold_id: HoldId
    kind: HoldCategory
    review_on: Day


class HoldReleasedV1(ReceivableEvent):
    """A hold ended."""

    hold_id: HoldId
    kind: HoldCategory


class DunningNoticeIssuedV1(ReceivableEvent):
    """A notice of a dunning level was issued and is to be sent."""

    notice_id: NoticeId
    run_id: RunId
    level: Annotated[int, Field(ge=1, examples=[1])]
    template: Annotated[str, Field(examples=["reminder"])]
    channel: Annotated[str, Field(examples=["email"])]
    issued_on: Day
    due_on: Day
    number: Annotated[str, Field(examples=["R0000123"])]
    outstanding_pence: Pence
    days_overdue: Annotated[int, Field(ge=1, examples=[8])]
