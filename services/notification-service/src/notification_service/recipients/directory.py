"""Asking supplier-service and debt-service who their suppliers and customers are and how to reach them.

Never with a transaction open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

import httpx
from council_common.errors import Unavailable
from council_common.observability.logs import get_logger
from council_common.runtime.clients import ServiceClients
from pydantic import BaseModel, ValidationError

from notification_service.recipients.rules import (
    CONTACTS_NOT_READ,
    RECEIVABLE_UNREADABLE,
    RECIPIENT_SERVICE_AWAY,
    RECIPIENT_UNKNOWN,
    Contact,
    Debt,
    Hold,
    NoAddress,
    Recipient,
    RecipientKind,
    warned_addresses,
)

log = get_logger()

ASKED_AT_ONCE = 100  # ids in one question: the address of the request stays under 5 kB

_Asked = Literal["supplier", "debt"]
_ASKED: dict[RecipientKind, tuple[_Asked, str]] = {
    RecipientKind.SUPPLIER: ("supplier", "/v1/suppliers"),
    RecipientKind.CUSTOMER: ("debt", "/v1/customers"),
}

RecipientKey = tuple[RecipientKind, UUID]


class _ContactIn(BaseModel):
    email: str | None = None
    purpose: str | None = None


class _AddressIn(BaseModel):
    lines: list[str] = []
    postcode: str | None = None


class _RecordIn(BaseModel):
    """What we read of a supplier or customer; everything else we leave alone."""

    id: UUID
    name: str
    kind: str | None = None
    email: str | None = None
    contacts: list[_ContactIn] = []
    address: _AddressIn | None = None
    preferred_channel: str | None = None
    suppressed: bool = False
    on_hold: bool = False

    def recipient(self) -> Recipient:
        found = [Contact(contact.email, contact.purpose or "general") for contact in self.contacts if contact.email]
        if self.email:
            found.append(Contact(self.email))
        address = self.address or _AddressIn()
        return Recipient(
            name=self.name,
            kind=self.kind,
            contacts=tuple(found),
            address_lines=tuple(address.lines),
            postcode=address.postcode,
            preferred_channel=self.preferred_channel,
            suppressed=self.suppressed,
            on_hold=self.on_hold,
        )


class _DebtIn(BaseModel):
    """What we read of a receivable."""

    customer_id: UUID
    number: str
    due_on: date
    outstanding_pence: int
    status: str
    on_hold: bool = False

    def debt(self) -> Debt:
        return Debt(**self.model_dump())


class _WarningContactIn(BaseModel):
    email: str


class _WarningContactsIn(BaseModel):
    """Whom supplier-service wants warned of a change: the addresses held when it was asked for, and older ones."""

    contacts: list[_WarningContactIn]


class _HoldIn(BaseModel):
    """What we read of a hold."""

    reason: str
    receivable_id: UUID | None
    holds_all: bool

    def hold(self) -> Hold:
        return Hold(**self.model_dump())


@dataclass
class FoundRecipients:
    """Who was found, whose record we cannot read, and whose service could not be asked at the moment.

    `debts`: what messages are about, by the receivable's id. `holds`: those in force of customers that were asked for.

    `warned`: the e-mail addresses that are to be warned of a bank-account change, by its id; None where
    supplier-service knows of no such change.
    """

    recipients: dict[RecipientKey, Recipient] = field(default_factory=dict)
    debts: dict[UUID, Debt] = field(default_factory=dict)
    holds: dict[UUID, list[Hold]] = field(default_factory=dict)
    warned: dict[UUID, list[str] | None] = field(default_factory=dict)
    unreadable: set[RecipientKey] = field(default_factory=set)
    away: set[RecipientKind] = field(default_factory=set)

    def recipient(self, key: RecipientKey) -> Recipient:
        """One of them; raises NoAddress."""
        self._must_have_been_read(key)
        if key not in self.recipients:
            raise NoAddress(RECIPIENT_UNKNOWN)
        return self.recipients[key]

    def debt(self, receivable_id: UUID | None) -> Debt | None:
        """The debt a message is about, if it is about one; raises NoAddress where that could not be found out."""
        if receivable_id is None:
            return None
        if RecipientKind.CUSTOMER in self.away:
            raise NoAddress(RECIPIENT_SERVICE_AWAY, final=False)
        if receivable_id not in self.debts:
            raise NoAddress(RECEIVABLE_UNREADABLE, final=False)
        return self.debts[receivable_id]

    def addresses_to_warn(self, change_id: UUID) -> list[str]:
        """Those of one change; raises NoAddress."""
        if change_id not in self.warned:
            raise NoAddress(CONTACTS_NOT_READ, final=False)
        contacts = self.warned[change_id]
        if contacts is None:
            raise NoAddress("contacts_unknown", final=False)
        return warned_addresses(contacts)

    def _must_have_been_read(self, key: RecipientKey) -> None:
        if key[0] in self.away:
            raise NoAddress(RECIPIENT_SERVICE_AWAY, final=False)
        if key in self.unreadable:
            raise NoAddress("recipient_unreadable", final=False)


async def find_recipients(clients: ServiceClients, wanted: Iterable[RecipientKey]) -> FoundRecipients:
    """The recipients of many messages, asked in bulk."""
    found = FoundRecipients()
    wanted = set(wanted)
    for kind in RecipientKind:
        ids = sorted(recipient_id for of_kind, recipient_id in wanted if of_kind == kind)
        try:
            for start in range(0, len(ids), ASKED_AT_ONCE):
                for item in await _ask(clients, *_ASKED[kind], ids[start : start + ASKED_AT_ONCE]):
                    _take(found, kind, item)
        except (Unavailable, httpx.HTTPError, LookupError, TypeError, ValueError) as fault:
            # A refusal (401, 403, 422) or an answer we cannot read is a fault of ours or theirs, not the recipient's.
            log.warning("recipients_not_found_out", recipient_kind=kind, cause=type(fault).__name__)
            found.away.add(kind)
    return found


async def find_debts(clients: ServiceClients, found: FoundRecipients, receivable_ids: Iterable[UUID]) -> None:
    """Add the debts that messages are about, as they stand now, asked in bulk."""
    if RecipientKind.CUSTOMER in found.away:
        return
    ids = sorted(set(receivable_ids))
    try:
        for start in range(0, len(ids), ASKED_AT_ONCE):
            for item in await _ask(clients, "debt", "/v1/receivables", ids[start : start + ASKED_AT_ONCE]):
                found.debts[UUID(item["id"])] = _DebtIn.model_validate(item).debt()
    except (Unavailable, httpx.HTTPError, LookupError, TypeError, ValueError) as fault:
        log.warning("debts_not_found_out", cause=type(fault).__name__)
        found.away.add(RecipientKind.CUSTOMER)


async def find_holds(clients: ServiceClients, found: FoundRecipients, customer_ids: Iterable[UUID]) -> None:
    """Add the holds in force of customers, one question each: for the few that are written to by hand."""
    for customer_id in customer_ids:
        if RecipientKind.CUSTOMER in found.away:
            return
        try:
            page = await clients.get("debt", "/v1/holds", customer_id=str(customer_id), released="false", limit=200)
            found.holds[customer_id] = [_HoldIn.model_validate(item).hold() for item in page["items"]]
        except (Unavailable, httpx.HTTPError, LookupError, TypeError, ValueError) as fault:
            log.warning("holds_not_found_out", cause=type(fault).__name__)
            found.away.add(RecipientKind.CUSTOMER)


async def _ask(clients: ServiceClients, service: _Asked, path: str, ids: list[UUID]) -> list[Any]:
    page: Any = await clients.get(service, path, ids=[str(recipient_id) for recipient_id in ids], limit=200)
    if page is None:
        raise Unavailable(f"{service}-service does not know {path}.")
    return list(page["items"])


def _take(found: FoundRecipients, kind: RecipientKind, item: Any) -> None:
    key = kind, UUID(item["id"])
    try:
        found.recipients[key] = _RecordIn.model_validate(item).recipient()
    except ValidationError as wrong:
        log.warning("recipient_not_readable", fields=[".".join(map(str, error["loc"])) for error in wrong.errors()])
        found.unreadable.add(key)


async def find_warning_contacts(clients: ServiceClients, found: FoundRecipients, change_ids: Iterable[UUID]) -> None:
    """Add the addresses to be warned of bank-account changes."""
    for change_id in change_ids:
        if RecipientKind.SUPPLIER in found.away:
            return
        try:
            answer = await clients.get("supplier", f"/v1/bank-account-changes/{change_id}/warning-contacts")
            # None (404): perhaps supplier-service is being restored just now.
            contacts = None if answer is None else _WarningContactsIn.model_validate(answer).contacts
            found.warned[change_id] = None if contacts is None else [contact.email for contact in contacts]
        except Unavailable:
            found.away.add(RecipientKind.SUPPLIER)
        except (httpx.HTTPError, ValueError) as fault:
            # A refusal (401, 403, 422) or an answer we cannot read: put right by us, and then the warning leaves.
            log.warning("warning_contacts_not_found_out", change_id=str(change_id), cause=type(fault).__name__)
