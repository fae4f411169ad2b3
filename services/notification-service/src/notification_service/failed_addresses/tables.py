"""Addresses that failed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from notification_service.failed_addresses.rules import FailedAddressStatus
from notification_service.recipients.rules import RecipientKind
from notification_service.rows import Row


class FailedAddress(Listed, Row, table=True):
    """An e-mail address of a recipient that a mail server refused; `message_id` is the last message that found out."""

    __tablename__ = "failed_address"
    __table_args__ = (
        UniqueConstraint("recipient_id", "address"),
        Index(None, "address", postgresql_where=text("status = 'failed'")),
        Index(None, "failed_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    recipient_kind: RecipientKind = Field(sa_type=EnumText(RecipientKind))
    recipient_id: UUID
    address: str = Field(sa_type=Text)
    status: FailedAddressStatus = Field(sa_type=EnumText(FailedAddressStatus))
    code: str = Field(sa_type=Text)
    message_id: UUID
    failed_at: datetime = Field(sa_type=UTC_TIME)
