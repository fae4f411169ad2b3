"""Kinds of field that events share, each with the example used in the published documents."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from council_common.fields import PRINTABLE
from council_common.money import MAX_PENCE, Percent

Pence = Annotated[int, Field(ge=-MAX_PENCE, le=MAX_PENCE, examples=[120_000], description="Whole pence.")]
Rate = Annotated[Percent, Field(examples=["1.00"], description="Percent, as a decimal string.")]
Day = Annotated[date, Field(examples=["2026-03-11"])]
SupplierId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000001"])]
InvoiceId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000002"])]
PaymentId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000003"])]
AgreementId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000004"])]
RebateId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000005"])]
CustomerId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000006"])]
ReceivableId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000007"])]
ReceiptId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000008"])]
RunId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000009"])]
NoticeId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000a"])]
MessageId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000b"])]
BankAccountChangeId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000c"])]
FailureId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000f"])]
TemplateId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000010"])]
HoldId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000d"])]
ApprovalLimitId = Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000e"])]


class SourceReference(BaseModel):
    """Where a record comes from: the system and its key there."""

    model_config = ConfigDict(frozen=True)

    system: Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE, examples=["erp"])]
    reference: Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE, examples=["4000123"])]


Source = Annotated[SourceReference, Field(examples=[{"system": "erp", "reference": "4000123"}])]


class VatShare(BaseModel):
    """The part of an invoice at one VAT rate (percent), in pence."""

    model_config = ConfigDict(frozen=True)

    vat_rate: Rate
    net_pence: Pence
    vat_pence: Pence


VatShares = Annotated[
    list[VatShare],
    Field(
        examples=[[{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}]],
        description="One entry per VAT rate; they sum to the invoice.",
    ),
]
