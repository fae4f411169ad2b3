"""Failed addresses on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from notification_service.failed_addresses.rules import FailedAddressStatus
from notification_service.recipients.rules import RecipientKind


class FailedAddressOut(BaseModel):
    """An address that a mail server refused, and the last message that found out."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    recipient_kind: RecipientKind
    recipient_id: UUID
    address: str
    status: FailedAddressStatus
    code: str
    message_id: UUID
    failed_at: datetime

    @classmethod
    def of(cls, failed: Any) -> Self:
        """From a stored record, or a row of the list."""
        return cls.model_validate(failed)
