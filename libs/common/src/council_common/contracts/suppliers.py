"""What supplier-service publishes: records, holds, bank-account changes (never the details), programme agreements."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from council_common.contracts.fields import BankAccountChangeId, Day, Rate, Source, SupplierId
from council_common.events.contract import Event

SupplierStatus = Literal["active", "held", "merged", "closed"]


class SupplierEvent(Event, topic="suppliers.v1", producer="supplier-service", key="supplier_id"):
    """About one supplier."""

    supplier_id: SupplierId


class SupplierRegisteredV1(SupplierEvent):
    """A supplier record was made."""

    source: Source
    market_sector: Annotated[str | None, Field(examples=["construction"])] = None
    payment_terms_days: Annotated[int, Field(ge=0, examples=[30])]
    status: Annotated[SupplierStatus, Field(examples=["active"])]


class SupplierChangedV1(SupplierEvent):
    """A supplier record was changed; the names of the changed fields, never personal values."""

    changed: Annotated[list[str], Field(examples=[["name"]])]
    market_sector: Annotated[str | None, Field(examples=["construction"])] = None
    payment_terms_days: Annotated[int, Field(ge=0, examples=[30])]
    status: Annotated[SupplierStatus, Field(examples=["active"])]


class SupplierHeldV1(SupplierEvent):
    """No invoice of this supplier may be paid."""

    reason: Annotated[str, Field(examples=["suspected_fraud"], description="A code, never free text.")]


class SupplierReleasedV1(SupplierEvent):
    """The last hold was lifted: invoices of this supplier may be paid again."""


class BankAccountChangeRequestedV1(SupplierEvent):
    """A change of this supplier's account was requested: payments wait, the old contacts are warned."""

    change_id: BankAccountChangeId
    requested_on: Day


class BankAccountChangeRejectedV1(SupplierEvent):
    """The change was refused; the account in use stands."""

    change_id: BankAccountChangeId


class BankAccountActivatedV1(SupplierEvent):
    """The new account was approved and is in use."""

    change_id: BankAccountChangeId
    approved_by: Annotated[str, Field(examples=["6f9a2b34-0000-5000-8000-000000000002"])]


class EarlyPaymentAgreedV1(SupplierEvent):
    """The supplier agreed to the early payment programme with these terms."""

    agreed_on: Day
    effective_from: Day
    term_days: Annotated[int, Field(ge=1, le=365, examples=[30])]
    reference_rate_percent: Rate
    target_day: Annotated[int, Field(ge=0, examples=[10])]
    clock_start: Annotated[Literal["received", "valid_invoice"], Field(examples=["received"])]
    clock_end: Annotated[Literal["run_date", "funds_arrival"], Field(examples=["run_date"])]
    rebate_base: Annotated[Literal["net", "gross"], Field(examples=["net"])]
    vat_mode: Annotated[Literal["reduce_net_and_vat", "net_only"], Field(examples=["reduce_net_and_vat"])]
    collection: Annotated[Literal["deduct_at_source", "claim"], Field(examples=["deduct_at_source"])]


class EarlyPaymentDeclinedV1(SupplierEvent):
    """The supplier declined the programme, or left it."""

    declined_on: Day
    reason: Annotated[str | None, Field(examples=["terms"])] = None
