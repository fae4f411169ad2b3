"""Who a message goes to, and which of their addresses it uses."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from council_common.contact_details.email_addresses import usable_email_address
from council_common.contact_details.postal_addresses import letter_address

RECIPIENT_SERVICE_AWAY = "recipient_service_away"
"""The service that knows the recipient does not answer: messages to its recipients wait until it does."""

RECIPIENT_UNKNOWN = "recipient_unknown"
RECEIVABLE_UNREADABLE = "receivable_unreadable"
"""debt-service does not know, or does not say readably, what a message is about."""

CONTACTS_NOT_READ = "contacts_not_read"
"""supplier-service refuses to name whom to warn of a change, or answers unreadably: our fault or its, not theirs."""

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
    preferred_channel: str | None = None
    suppressed: bool = False  # contact suppression: they are not written to about a debt
    on_hold: bool = False  # a hold on everything they owe

    @property
    def is_person(self) -> bool:
        """Whether debt advice for people concerns them (individuals and sole traders)."""
        return self.kind in PEOPLE


@dataclass(frozen=True, slots=True)
class Debt:
    """What debt-service says of a receivable now."""

    customer_id: UUID
    number: str
    due_on: date
    outstanding_pence: int
    status: str
    on_hold: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that is in force. The receivable it names, if it names one, and whether it holds the customer's others,
    too: a death or a breathing space that was recorded on one debt."""

    reason: str
    receivable_id: UUID | None
    holds_all: bool


class NoAddress(Exception):
    """A recipient cannot be reached this way; `code` is why, never with the address itself.

    Not `final` where it may be found out later. `explanation` says more than the code, and no address either.
    """

    def __init__(self, code: str, *, final: bool = True, explanation: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.final = final
        self.explanation = explanation


def email_addresses(recipient: Recipient) -> list[str]:
    """The addresses of a recipient that mail can be sent to.

    First those of contacts for remittances, then for accounts, then the general ones, then any.
    """
    ordered = sorted(recipient.contacts, key=lambda contact: _rank(contact.purpose))
    return [address for contact in ordered if (address := usable_email_address(contact.email))]


def email_address(recipient: Recipient, *, failed: Container[str] = ()) -> str:
    """The e-mail address a message goes to: the first that has not failed (`failed`: as addresses are compared).

    Raises NoAddress; where all have failed as if the server had refused them now.
    """
    if not recipient.contacts:
        raise NoAddress("no_address")
    usable = email_addresses(recipient)
    if not usable:
        raise NoAddress("address_invalid")
    for address in usable:
        if address.casefold() not in failed:
            return address
    raise NoAddress("address_refused", explanation="it failed before, and nobody has said since that it works again")


def warned_addresses(contacts: Sequence[str]) -> list[str]:
    """The addresses warned of a requested change of the bank account, every one once; raises NoAddress for none.

    Council policy against payment diversion fraud: notice goes to all old contacts, so that a fraudster who reads one
    mailbox of the supplier cannot keep the others in the dark. An address that cannot be written to is kept as it
    came: its message fails, and is seen.
    """
    if not contacts:
        raise NoAddress("no_address")
    addresses: dict[str, str] = {}
    for contact in contacts:
        address = usable_email_address(contact) or contact
        addresses.setdefault(address.casefold(), address)
    return list(addresses.values())


def _rank(purpose: str) -> int:
    return PREFERRED_PURPOSES.index(purpose) if purpose in PREFERRED_PURPOSES else len(PREFERRED_PURPOSES)


def postal_lines(recipient: Recipient) -> Sequence[str]:
    """The lines to print on an envelope, name first and postcode or country last; raises NoAddress."""
    if not recipient.address_lines and not recipient.postcode:
        raise NoAddress("no_address")
    try:
        return letter_address(recipient.name, recipient.address_lines, recipient.postcode)
    except ValueError:
        raise NoAddress("address_invalid") from None
