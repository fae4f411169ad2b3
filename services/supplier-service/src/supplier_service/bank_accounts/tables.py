"""The table of bank accounts. The database refuses to edit or delete its rows (see the migration)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME
from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.rows import Row


class BankAccount(Row, table=True):
    """A supplier's first, second … account; the highest number is the one in use, the others are superseded.

    `change_id` is the case that brought it; none for the account a supplier was registered with.
    """

    __tablename__ = "bank_account"
    __table_args__ = (
        UniqueConstraint("change_id"),
        CheckConstraint("sort_code ~ '^[0-9]{6}$'", name="sort_code"),
        CheckConstraint("account_number ~ '^[0-9]{8}$'", name="account_number"),
    )

    supplier_id: UUID = Field(primary_key=True, foreign_key="supplier.id")
    number: int = Field(primary_key=True)
    change_id: UUID | None = Field(default=None, foreign_key="bank_account_change.id")
    sort_code: str = Field(sa_type=Text)
    account_number: str = Field(sa_type=Text)
    account_name: str | None = Field(default=None, sa_type=Text)
    in_use_from: datetime = Field(sa_type=UTC_TIME)

    @property
    def details(self) -> BankDetails:
        return BankDetails(self.sort_code, self.account_number, self.account_name)
