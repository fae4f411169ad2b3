"""Who a message goes to, and which of their addresses it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from notification_service.recipients.email_addresses import usable_email_address
from notification_service.recipients.postal_addresses import letter_address

BANK_ACCOUNT_CHANGE_WARNING = "bank_account_change_warning"
PREFERRED_PURPOSES = ("remittance", "accounts", "general")
PEOPLE = frozenset({"individual", "sole_trader"})


class RecipientKind(StrEnum):
    """Whose record a recipient is: supplier-service's or debt-service's."""

    SUPPLIER = "supplier"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address of a recipient and what it is for."""

    email: str
    purpose: str = "general"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A supplier or customer as its own service knows it now."""

    name: str
    kind: str | None = None
    contacts: tuple[Contact, ...] = ()
    address_lines: tuple[str, ...] = ()
    postcode: str | None = None

    @property
    def is_person(self) -> bool:
        """Whether debt advice for people concerns them (individuals and sole traders)."""
        return self.kind in PEOPLE


class NoAddress(Exception):
    """A recipient cannot be reached this way; `code` says why, never with the address itself."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def email_addresses(recipient: Recipient, *, template: str) -> list[str]:
    """The e-mail addresses a message goes to; raises NoAddress.

    One: the first usable contact for remittances, else for accounts, else the general one, else any. A warning
    that somebody wants to change the bank account goes to every contact held (payables.md §4: "notice to old
    contacts"): whoever reads one mailbox of the supplier must not be able to keep the others in the dark.
    """
    if not recipient.contacts:
        raise NoAddress("no_address")
    ordered = sorted(recipient.contacts, key=lambda contact: _rank(contact.purpose))
    usable = [address for contact in ordered if (address := usable_email_address(contact.email))]
    if not usable:
        raise NoAddress("address_invalid")
    return list(dict.fromkeys(usable)) if template == BANK_ACCOUNT_CHANGE_WARNING else usable[:1]


def _rank(purpose: str) -> int:
    return PREFERRED_PURPOSES.index(purpose) if purpose in PREFERRED_PURPOSES else len(PREFERRED_PURPOSES)


def postal_lines(recipient: Recipient) -> Sequence[str]:
    """The lines to print on an envelope, name first and postcode last; raises NoAddress."""
    if not recipient.address_lines and not recipient.postcode:
        raise NoAddress("no_address")
    lines = letter_address(recipient.name, recipient.address_lines, recipient.postcode)
    if lines is None:
        raise NoAddress("address_invalid")
    return lines
