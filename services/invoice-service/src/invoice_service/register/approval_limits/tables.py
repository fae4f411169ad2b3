"""The table of approval limits; the database itself refuses two of one role and department on one day."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, Listed
from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from invoice_service.rows import Row


class ApprovalLimit(Listed, Row, table=True):
    """How much a role may approve; no department is every department. Only its last day ever changes, once."""

    __tablename__ = "approval_limit"
    __table_args__ = (
        CheckConstraint("up_to_pence > 0", name="amount"),
        CheckConstraint("effective_to >= effective_from", name="ends_after_start"),
        # GiST compares text by equality with the extension btree_gist.
        ExcludeConstraint(
            ("role", "="),
            (text("coalesce(department, '')"), "="),
            (text("daterange(effective_from, effective_to, '[]')"), "&&"),
            name="ex_approval_limit_one_a_day",
            using="gist",
        ),
        Index(None, "effective_from", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    role: str = Field(sa_type=Text)
    department: str | None = Field(default=None, sa_type=Text)
    up_to_pence: int = Field(sa_type=BigInteger)
    effective_from: date
    effective_to: date | None = None
    decided_by: str = Field(sa_type=Text)
    decided_by_name: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=UTC_TIME)
    ended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
