"""What the list of failed addresses is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from uuid import UUID

from council_common.fields import Day
from council_common.web.lists import ResourceList

from notification_service.failed_addresses.rules import FailedAddressStatus
from notification_service.failed_addresses.tables import FailedAddress
from notification_service.recipients.rules import RecipientKind


class FailedAddressList(
    ResourceList,
    of=FailedAddress,
    sorts=("failed_at",),
    default="-failed_at",
    csv=("id", "recipient_kind", "recipient_id", "address", "status", "code", "message_id", "failed_at"),
):
    """Addresses that meet every condition given, the last failures first."""

    recipient_kind: RecipientKind | None = None
    recipient_id: UUID | None = None
    status: FailedAddressStatus | None = None
    failed_from: Day | None = None
    failed_to: Day | None = None
