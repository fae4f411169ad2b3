"""The tables of suppliers and of the holds on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from council_common.holds import ReleaseReason
from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from supplier_service.rows import Row
from supplier_service.suppliers.rules import HoldReason, SupplierStatus, comparable


class Supplier(Listed, Row, table=True):
    """A supplier: a person or firm the council pays.

    `registered` holds a digest of each field as first sent (rules.fingerprints); contacts and address are JSON.
    An open bank-account change is noted here as well, so that "may it be paid?" is one row's question.
    `name_changed_on`: a name that was changed lately proves nothing about who holds an account.
    """

    __tablename__ = "supplier"
    __table_args__ = (
        UniqueConstraint("source_reference", "source_system"),
        CheckConstraint("payment_terms_days BETWEEN 0 AND 365", name="payment_terms_days"),
        Index(None, "name", "id"),
        Index(None, "registered_at", "id"),
        Index(None, "market_sector"),
        Index(None, "company_number"),
        Index("ix_supplier_status", "status", postgresql_where=text("status <> 'active'")),
        Index("ix_supplier_change_open", "id", postgresql_where=text("open_bank_account_change_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    registered: dict[str, Any] = Field(sa_type=JSONB)
    name: str = Field(sa_type=Text)
    name_changed_on: date | None = None
    company_number: str | None = Field(default=None, sa_type=Text)
    vat_number: str | None = Field(default=None, sa_type=Text)
    market_sector: str | None = Field(default=None, sa_type=Text, foreign_key="market_sector.code")
    payment_terms_days: int
    status: SupplierStatus = Field(sa_type=EnumText(SupplierStatus))
    contacts: list[dict[str, Any]] = Field(sa_type=JSONB)
    address: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    open_bank_account_change_id: UUID | None = Field(default=None)
    registered_by: str = Field(sa_type=Text)
    registered_at: datetime = Field(sa_type=UTC_TIME)

    def content(self) -> dict[str, Any]:
        """The supplier as it is now, comparable with a registration."""
        return comparable(
            name=self.name,
            company_number=self.company_number,
            vat_number=self.vat_number,
            market_sector=self.market_sector,
            payment_terms_days=self.payment_terms_days,
            contacts=self.contacts,
            address=self.address,
        )


class RemovedEmail(Row, table=True):
    """An e-mail address a supplier's contacts had until a day: it is warned of a bank-account change, too.

    Personal data, kept for that only and forgotten after `bank_account_changes.rules.Control.removed_email_days`.
    """

    __tablename__ = "supplier_removed_email"
    __table_args__ = (Index(None, "removed_on"),)

    supplier_id: UUID = Field(primary_key=True, foreign_key="supplier.id")
    email: str = Field(primary_key=True, sa_type=Text)
    name: str = Field(sa_type=Text)
    removed_on: date


class SupplierHold(Row, table=True):
    """A reason not to pay a supplier, until it is released."""

    __tablename__ = "supplier_hold"
    __table_args__ = (
        Index(None, "supplier_id"),
        CheckConstraint(
            "num_nulls(released_at, released_by, released_by_name, release_reason, release_note) IN (0, 5)",
            name="released",
        ),
    )

    id: UUID = Field(primary_key=True)
    supplier_id: UUID = Field(foreign_key="supplier.id")
    reason: HoldReason = Field(sa_type=EnumText(HoldReason))
    note: str = Field(sa_type=Text)
    placed_by: str = Field(sa_type=Text)
    placed_by_name: str = Field(sa_type=Text)
    placed_at: datetime = Field(sa_type=UTC_TIME)
    released_by: str | None = Field(default=None, sa_type=Text)
    released_by_name: str | None = Field(default=None, sa_type=Text)
    released_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    release_reason: ReleaseReason | None = Field(default=None, sa_type=EnumText(ReleaseReason))
    release_note: str | None = Field(default=None, sa_type=Text)
