"""The tables of invoices and of the reasons to hold them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.holds import ReleaseReason
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from invoice_service.register.invoices.rules import ENDED, HoldReason, InvoiceKind, InvoiceStatus
from invoice_service.rows import Row


class Invoice(Listed, Row, table=True):
    """What a supplier asks to be paid, or gives back.

    Lines are JSON: they are written once, with the invoice, and only ever read with it. `number_key` is the
    normalised number; a payer's own transaction number (published spending) begins with `#` there, so that it
    is never taken for an invoice number. `hold_reasons` repeats the open holds, `status_before_hold` is where
    the invoice goes back to (`paid`, where nothing is left to pay). `historic` marks what was paid before its
    source sent it here. `credited_pence` is what credit notes took off an invoice; of a credit note, below zero, what
    of it was applied. `amounts_disagree`: net, VAT and gross are kept as a file had them and do not add up;
    `vat_derived`: the VAT was absent and is worked out, so that it is not recoverable until a VAT invoice is held.
    `invoice_number` is the supplier's own where `number` is the payer's, its key normalised; `row_hash` knows a file's
    line again by its own cells.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("source_reference", "source_system"),
        CheckConstraint("amounts_disagree OR gross_pence = net_pence + vat_pence", name="gross"),
        CheckConstraint("(status = 'held') = (cardinality(hold_reasons) > 0)", name="hold_reasons"),
        CheckConstraint("(status = 'held') = (status_before_hold IS NOT NULL)", name="held"),
        CheckConstraint("abs(paid_pence + deducted_pence + credited_pence) <= abs(gross_pence)", name="paid"),
        # D1, also when two come at the same moment: one of them is first, the other says whose duplicate it is.
        Index(
            "uq_invoice_supplier_id_number_key",
            "supplier_id", "number_key", "kind",
            unique=True,
            postgresql_where=text(
                "duplicate_of IS NULL AND NOT historic AND status NOT IN ('rejected', 'cancelled')"
            ),
        ),
        Index(None, "number_key", "supplier_id"),
        Index(
            "ix_invoice_invoice_number_key_supplier_id",
            "invoice_number_key", "supplier_id",
            postgresql_where=text("invoice_number_key IS NOT NULL"),
        ),
        Index(None, "supplier_id", "received_on"),
        Index(None, "received_on", "id"),
        Index(None, "due_on", "id"),
        # An import's invoices lie side by side: a few bytes per hundred pages find them.
        Index("ix_invoice_import_id", "import_id", postgresql_using="brin"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    version: int
    kind: InvoiceKind = Field(sa_type=EnumText(InvoiceKind))
    supplier_id: UUID
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    content_hash: bytes = Field(sa_type=LargeBinary)
    number: str = Field(sa_type=Text)
    number_key: str = Field(sa_type=Text)
    purchase_order_number: str | None = Field(default=None, sa_type=Text)
    issued_on: date
    received_on: date
    due_on: date
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    net_pence: int = Field(sa_type=BigInteger)
    vat_pence: int = Field(sa_type=BigInteger)
    gross_pence: int = Field(sa_type=BigInteger)
    paid_pence: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    deducted_pence: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    credited_pence: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    status: InvoiceStatus = Field(sa_type=EnumText(InvoiceStatus))
    status_before_hold: InvoiceStatus | None = Field(default=None, sa_type=EnumText(InvoiceStatus))
    hold_reasons: list[str] = Field(
        sa_type=ARRAY(Text),
        sa_column_kwargs={"server_default": "{}"},
    )
    duplicate_of: UUID | None = Field(default=None)
    historic: bool = Field(sa_column_kwargs={"server_default": text("false")})
    received_by: str = Field(sa_type=Text)
    received_by_name: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UTC_TIME)
    approved_by: str | None = Field(default=None, sa_type=Text)
    approved_by_name: str | None = Field(default=None, sa_type=Text)
    approved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    paid_on: date | None = Field(default=None)
    import_id: UUID | None = Field(default=None)
    line_number: int | None = Field(default=None)
    amounts_disagree: bool = Field(sa_column_kwargs={"server_default": text("false")})
    vat_derived: bool = Field(sa_column_kwargs={"server_default": text("false")})
    invoice_number: str | None = Field(default=None, sa_type=Text)
    invoice_number_key: str | None = Field(default=None, sa_type=Text)
    row_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    amounts_settled_by: str | None = Field(default=None, sa_type=Text)

    @property
    def outstanding_pence(self) -> int:
        """What is left to pay; nothing of one that ended."""
        if self.status in ENDED:
            return 0
        return self.gross_pence - self.paid_pence - self.deducted_pence - self.credited_pence

    @property
    def is_settled(self) -> bool:
        """Whether it is paid, held or not."""
        return InvoiceStatus.PAID in (self.status, self.status_before_hold)


class InvoiceHold(Row, table=True):
    """A reason not to pay an invoice, until it is released.

    `placed_on` (where given) and `released_on` are the days on which the reason arose and was gone, `placed_at` and
    `released_at` when that was recorded.
    """

    __tablename__ = "invoice_hold"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(released_at, released_by, released_by_name, released_on, release_reason, release_note) "
            "IN (0, 6)",
            name="released",
        ),
        Index(
            "uq_invoice_hold_invoice_id_reason",
            "invoice_id", "reason",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
        ),
        Index(None, "invoice_id"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    invoice_id: UUID = Field(foreign_key="invoice.id")
    reason: HoldReason = Field(sa_type=EnumText(HoldReason))
    note: str | None = Field(default=None, sa_type=Text)
    placed_by: str = Field(sa_type=Text)
    placed_by_name: str = Field(sa_type=Text)
    placed_on: date | None = Field(default=None)
    placed_at: datetime = Field(sa_type=UTC_TIME)
    released_by: str | None = Field(default=None, sa_type=Text)
    released_by_name: str | None = Field(default=None, sa_type=Text)
    released_on: date | None = Field(default=None)
    released_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    release_reason: ReleaseReason | None = Field(default=None, sa_type=EnumText(ReleaseReason))
    release_note: str | None = Field(default=None, sa_type=Text)
