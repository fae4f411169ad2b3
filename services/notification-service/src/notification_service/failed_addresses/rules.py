"""When an address counts as failed, and when it may be written to again. Source: council policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from notification_service.recipients.rules import RecipientKind

FAILING_CODES = frozenset({"address_refused", "address_busy"})
"""The ends of a message that say something of its address: 5xx at RCPT, or "later" until it was given up."""


class FailedAddressStatus(StrEnum):
    """`confirmed`: an officer has found out that it works again. It may fail again."""

    FAILED = "failed"
    CONFIRMED = "confirmed"


NEXT: dict[FailedAddressStatus, frozenset[FailedAddressStatus]] = {
    FailedAddressStatus.FAILED: frozenset({FailedAddressStatus.CONFIRMED}),
    FailedAddressStatus.CONFIRMED: frozenset({FailedAddressStatus.FAILED}),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that ended because of its address."""

    recipient_kind: RecipientKind
    recipient_id: UUID
    address: str
    code: str
    message_id: UUID


def compared(address: str) -> str:
    """An address as addresses are compared: servers that tell capitals apart are not met.

    >>> compared("Jo@Example.org")
    'jo@example.org'
    """
    return address.casefold()
