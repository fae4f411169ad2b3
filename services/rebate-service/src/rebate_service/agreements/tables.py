"""Agreements and their versions; the database itself refuses two versions on one day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from council_common.database.columns import EnumText, Listed
from sqlalchemy import CheckConstraint, Index, Numeric, SmallInteger, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from rebate_service.agreements.rules import (
    ClockEnd,
    ClockStart,
    Collection,
    RebateBase,
    Terms,
    VatMode,
)
from rebate_service.rows import Row


class Agreement(Listed, Row, table=True):
    """One supplier's agreement; its terms are in its versions, which have numbers. `version` counts its changes."""

    __tablename__ = "agreement"
    __table_args__ = (Index("ix_agreement_apply_from", "apply_from", postgresql_where=text("apply_from IS NOT NULL")),)

    id: UUID = Field(primary_key=True)
    supplier_id: UUID = Field(unique=True)
    version: int
    # Invoices received from this day on are still to be assessed again, by the job `apply-agreements`.
    apply_from: date | None = None


class AgreementVersion(Row, table=True):
    """The terms of an agreement from a day to a day; only its last day ever changes."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        CheckConstraint("effective_to >= effective_from - 1", name="ends_after_start"),
        CheckConstraint("target_day >= 0 AND target_day < term_days", name="target_within_term"),
        CheckConstraint(
            "reference_rate_percent >= 0 AND reference_rate_percent * term_days <= 100 * (term_days - target_day)",
            name="rate_within_the_whole",
        ),
        # GiST compares supplier_id by equality with the extension btree_gist.
        ExcludeConstraint(
            ("supplier_id", "="),
            (text("daterange(effective_from, effective_to + 1, '[)')"), "&&"),
            name="ex_agreement_version_one_a_day",
            using="gist",
        ),
    )

    agreement_id: UUID = Field(primary_key=True, foreign_key="agreement.id")
    number: int = Field(primary_key=True, sa_type=SmallInteger)
    supplier_id: UUID = Field(index=True)
    effective_from: date
    effective_to: date | None = None
    reference_rate_percent: Decimal = Field(sa_type=Numeric)
    target_day: int = Field(sa_type=SmallInteger)
    term_days: int = Field(sa_type=SmallInteger)
    clock_start: ClockStart = Field(sa_type=EnumText(ClockStart))
    clock_end: ClockEnd = Field(sa_type=EnumText(ClockEnd))
    rebate_base: RebateBase = Field(sa_type=EnumText(RebateBase))
    vat_mode: VatMode = Field(sa_type=EnumText(VatMode))
    collection: Collection = Field(sa_type=EnumText(Collection))

    @property
    def terms(self) -> Terms:
        return Terms.named_in(self)
