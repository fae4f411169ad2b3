"""The tables of bank-account changes, their evidence and their call-backs."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from supplier_service.bank_account_changes.rules import (
    BankAccountChangeStatus,
    CallBackOutcome,
    EvidenceKind,
    HeldAs,
    RequestedVia,
)
from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.rows import Row


class BankAccountChange(Listed, Row, table=True):
    """A request to be paid elsewhere, and how far it came. One open case a supplier; three different people.

    The database refuses to edit what was requested and what was approved (see the migration). `account_name_matches`
    and `name_changed_on` are as found on the day of the request; `warned_otherwise` is what the approver says of a
    warning that did not go by e-mail.
    """

    __tablename__ = "bank_account_change"
    __table_args__ = (
        Index(
            "uq_bank_account_change_open",
            "supplier_id",
            unique=True,
            postgresql_where=text("status NOT IN ('active', 'rejected')"),
        ),
        Index(None, "supplier_id"),
        Index(None, "status", "cooling_off_until"),
        Index(None, "requested_at", "id"),
        CheckConstraint("requested_by <> called_back_by", name="caller_is_not_requester"),
        CheckConstraint("approved_by NOT IN (requested_by, called_back_by)", name="approver_is_a_third"),
        CheckConstraint(
            "status NOT IN ('approved', 'active') OR (approved_by IS NOT NULL AND called_back_by IS NOT NULL "
            "AND cooling_off_until IS NOT NULL)",
            name="approved",
        ),
    )

    id: UUID = Field(primary_key=True)
    supplier_id: UUID = Field(foreign_key="supplier.id")
    version: int
    status: BankAccountChangeStatus = Field(sa_type=EnumText(BankAccountChangeStatus))
    sort_code: str = Field(sa_type=Text)
    account_number: str = Field(sa_type=Text)
    account_name: str = Field(sa_type=Text)
    account_name_matches: bool
    name_changed_on: date | None = None
    requested_via: RequestedVia = Field(sa_type=EnumText(RequestedVia))
    note: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_by_name: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=UTC_TIME)
    called_back_by: str | None = Field(default=None, sa_type=Text)
    approved_by: str | None = Field(default=None, sa_type=Text)
    approved_by_name: str | None = Field(default=None, sa_type=Text)
    approved_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    cooling_off_until: date | None = None
    warned_otherwise: str | None = Field(default=None, sa_type=Text)
    rejected_by: str | None = Field(default=None, sa_type=Text)
    rejected_by_name: str | None = Field(default=None, sa_type=Text)
    rejected_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    activated_at: datetime | None = Field(default=None, sa_type=UTC_TIME)

    @property
    def details(self) -> BankDetails:
        return BankDetails(self.sort_code, self.account_number, self.account_name)


class Evidence(Row, table=True):
    """A paper that supports a case: what it is and where it is kept."""

    __tablename__ = "bank_account_evidence"
    __table_args__ = (Index(None, "change_id"),)

    id: UUID = Field(primary_key=True)
    change_id: UUID = Field(foreign_key="bank_account_change.id")
    kind: EvidenceKind = Field(sa_type=EnumText(EvidenceKind))
    reference: str = Field(sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    added_by: str = Field(sa_type=Text)
    added_by_name: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=UTC_TIME)


class CallBack(Row, table=True):
    """A call to the supplier on a number held before the case began."""

    __tablename__ = "bank_account_call_back"
    __table_args__ = (Index(None, "change_id"),)

    id: UUID = Field(primary_key=True)
    change_id: UUID = Field(foreign_key="bank_account_change.id")
    contact_id: UUID
    outcome: CallBackOutcome = Field(sa_type=EnumText(CallBackOutcome))
    note: str = Field(sa_type=Text)
    called_by: str = Field(sa_type=Text)
    called_by_name: str = Field(sa_type=Text)
    called_at: datetime = Field(sa_type=UTC_TIME)


class WarningContact(Row, table=True):
    """A contact that is warned of a case: fixed with the request, whatever happens to the supplier's contacts.

    Personal data, kept with the case as the proof of who was to be warned.
    """

    __tablename__ = "bank_account_warning_contact"
    __table_args__ = (CheckConstraint("(held = 'removed') = (removed_on IS NOT NULL)", name="removed_on"),)

    change_id: UUID = Field(primary_key=True, foreign_key="bank_account_change.id")
    position: int = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    held: HeldAs = Field(sa_type=EnumText(HeldAs))
    removed_on: date | None = None
