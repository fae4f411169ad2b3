"""Invoices on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from council_common.contracts.fields import SourceReference
from council_common.errors import FieldError, Malformed
from council_common.fields import Day, Name, OptionalText, Pence, RequestModel, Sentence, ShortName, SourceIn
from council_common.holds import HoldAnswer, HoldRequest, ReleaseIn
from council_common.money import Percent
from council_common.web.bulk import BulkIn, Outcome, read_items, refused
from pydantic import BaseModel, ConfigDict, Field

from invoice_service.register.invoices import rules
from invoice_service.register.invoices.rules import CancelReason, HoldReason, InvoiceFlag, InvoiceKind, InvoiceStatus
from invoice_service.register.invoices.vat_on_total import with_vat_of_total


class LineIn(RequestModel):
    """One line. The VAT rate is a decimal string of percent."""

    description: OptionalText = ""
    net_pence: Pence
    vat_rate: Percent
    vat_pence: Pence
    department: ShortName | None = None


class InvoiceIn(RequestModel):
    """An invoice, or a credit note with negative amounts. Name the supplier by id or by its source.

    VAT may be worked out by line or on the total: then the penny between the two goes on the last line.
    Without `due_on` it falls due by the supplier's terms, at most thirty days beginning with the day of receipt.
    """

    kind: InvoiceKind = InvoiceKind.INVOICE
    supplier_id: UUID | None = None
    supplier: SourceIn | None = None
    source: SourceIn
    number: Name
    purchase_order_number: Name | None = None
    issued_on: Day
    received_on: Day
    due_on: Day | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=rules.MAX_LINES)]
    net_pence: Pence
    vat_pence: Pence
    gross_pence: Pence

    def new_invoice(self) -> rules.NewInvoice:
        """As the rules take it. Raises Malformed where it names no supplier, or one twice."""
        if (self.supplier_id is None) == (self.supplier is None):
            wrong, right = "the supplier is named twice or not at all", "either supplier_id or supplier"
            raise Malformed("The invoice names no supplier.", errors=[FieldError("supplier", wrong, right)])
        new = rules.NewInvoice(
            supplier_id=self.supplier_id,
            supplier_system=self.supplier.system if self.supplier else None,
            supplier_reference=self.supplier.reference if self.supplier else None,
            kind=self.kind,
            source_system=self.source.system,
            source_reference=self.source.reference,
            number=self.number,
            purchase_order_number=self.purchase_order_number,
            issued_on=self.issued_on,
            received_on=self.received_on,
            due_on=self.due_on,
            lines=tuple(
                rules.Line(
                    description=line.description,
                    net_pence=line.net_pence,
                    vat_rate=line.vat_rate,
                    vat_pence=line.vat_pence,
                    department=line.department,
                )
                for line in self.lines
            ),
            net_pence=self.net_pence,
            vat_pence=self.vat_pence,
            gross_pence=self.gross_pence,
        )
        return with_vat_of_total(new)


class InvoicesIn(BulkIn, of=InvoiceIn):
    """Up to 5,000 invoices and credit notes, each as the single request takes it."""

    def new_invoices(self) -> tuple[list[tuple[int, rules.NewInvoice]], list[Outcome]]:
        """Those that have their form, with their index, and the outcomes of those that have not."""
        good, bad = read_items(InvoiceIn, self.items)
        news: list[tuple[int, rules.NewInvoice]] = []
        for index, invoice in good:
            try:
                news.append((index, invoice.new_invoice()))
            except Malformed as refusal:
                bad.append(refused(index, refusal))
        return news, bad


class ApprovalIn(RequestModel):
    """An invoice to be approved."""

    invoice_id: UUID


class ApprovalsIn(BulkIn, of=ApprovalIn):
    """Up to 5,000 invoices to be approved."""


class HoldIn(HoldRequest):
    """A reason not to pay for the moment; `supplier_held` and `bank_account_change` come from the supplier only.

    `placed_on` is the day on which it arose (the dispute was raised), where that was not today.
    """

    reason: HoldReason
    placed_on: Day | None = None


class HoldReleaseIn(ReleaseIn):
    """Why a hold ends; `released_on` is the day the reason was gone (the dispute settled), where not today."""

    released_on: Day | None = None

    def release(self) -> rules.Release:
        """As the rules take it."""
        return rules.Release(self.reason, self.note, self.released_on)


class AmountsIn(RequestModel):
    """What an invoice comes to whose amounts did not add up; the VAT rate is a decimal string of percent."""

    net_pence: Pence
    vat_pence: Pence
    gross_pence: Pence
    vat_rate: Percent
    note: Sentence


class CancellationIn(RequestModel):
    """Why the invoice will not be paid."""

    reason: CancelReason
    note: Sentence


class LineOut(BaseModel):
    """One line as its source sent it."""

    description: str
    net_pence: int
    vat_rate: str
    vat_pence: int
    department: str | None = None


class InvoiceOut(BaseModel):
    """An invoice. `pay_by` is the last day in time by Procurement Act 2023 s68(2): 30 days, or `due_on` if later.

    `invoice_number` is the supplier's own number where `number` is the payer's transaction number.
    """

    id: UUID
    version: int
    kind: InvoiceKind
    supplier_id: UUID
    source: SourceReference
    number: str
    invoice_number: str | None
    purchase_order_number: str | None
    issued_on: date
    received_on: date
    due_on: date
    pay_by: date
    lines: list[LineOut]
    net_pence: int
    vat_pence: int
    gross_pence: int
    paid_pence: int
    deducted_pence: int
    credited_pence: int
    outstanding_pence: int
    status: InvoiceStatus
    hold_reasons: list[str]
    flags: list[InvoiceFlag]
    duplicate_of: UUID | None
    historic: bool
    received_by: str
    received_by_name: str
    received_at: datetime
    approved_by: str | None
    approved_by_name: str | None
    approved_at: datetime | None
    paid_on: date | None
    import_id: UUID | None
    line_number: int | None

    @classmethod
    def of(cls, invoice: Any) -> InvoiceOut:
        """From a stored invoice, or a row of the list."""
        return cls.of_values({name: getattr(invoice, name) for name in _COLUMNS})

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> InvoiceOut:
        """From an invoice's columns by name."""
        return cls.model_validate(
            {
                **values,
                "source": {"system": values["source_system"], "reference": values["source_reference"]},
                "pay_by": rules.pay_by(values["received_on"], values["due_on"]),
                "outstanding_pence": _outstanding(values),
                "flags": _flags(values),
            }
        )


def _outstanding(values: Mapping[str, Any]) -> int:
    if values["status"] in rules.ENDED:
        return 0
    settled = sum(values[f"{name}_pence"] for name in ("paid", "deducted", "credited"))
    outstanding: int = values["gross_pence"] - settled
    return outstanding


def _flags(values: Mapping[str, Any]) -> list[InvoiceFlag]:
    flags = {
        InvoiceFlag.DATED_AFTER_RECEIPT: values["issued_on"] > values["received_on"],
        InvoiceFlag.AMOUNTS_DISAGREE: values["amounts_disagree"],
        InvoiceFlag.VAT_DERIVED: values["vat_derived"],
        InvoiceFlag.DUPLICATE_SUSPECTED: values["duplicate_of"] is not None,
    }
    return [flag for flag, is_set in flags.items() if is_set]


_COMPUTED = {"source", "pay_by", "outstanding_pence", "flags"}
_BEHIND = ("source_system", "source_reference", "amounts_disagree", "vat_derived")
_COLUMNS = (*(name for name in InvoiceOut.model_fields if name not in _COMPUTED), *_BEHIND)


class HoldOut(HoldAnswer):
    """A reason to hold an invoice, and the days on which it arose and was gone."""

    model_config = ConfigDict(from_attributes=True)

    invoice_id: UUID
    reason: HoldReason
    placed_on: date | None
    released_on: date | None

    @classmethod
    def of(cls, hold: Any) -> HoldOut:
        """From a stored hold."""
        return cls.model_validate(hold)
