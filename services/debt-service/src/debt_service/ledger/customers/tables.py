"""The customer's row."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from debt_service.ledger.customers.rules import Channel, CustomerKind
from debt_service.rows import Row


class Customer(Listed, Row, table=True):
    """Who owes. `on_hold` follows the holds on the customer, `suppressed` stops every notice.

    `content_hash` is that of what the source sent first; changes since are the council's own.
    `contact_changed_at` is when a name, an address or the channel was last changed, `email_failed_at` and
    `letter_failed_at` when the address they have now turned out to be unusable.
    """

    __table_args__ = (UniqueConstraint("source_reference", "source_system"), Index(None, "name", "id"))

    id: UUID = Field(primary_key=True)
    version: int
    source_system: str = Field(sa_type=Text)
    source_reference: str = Field(sa_type=Text)
    kind: CustomerKind = Field(sa_type=EnumText(CustomerKind))
    name: str = Field(sa_type=Text)
    email: str | None = Field(default=None, sa_type=Text)
    address: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    preferred_channel: Channel = Field(sa_type=EnumText(Channel))
    language: str = Field(sa_type=Text)
    suppressed: bool
    on_hold: bool
    created_at: datetime = Field(sa_type=UTC_TIME)
    content_hash: str = Field(sa_type=Text)
    contact_changed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    email_failed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    letter_failed_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
