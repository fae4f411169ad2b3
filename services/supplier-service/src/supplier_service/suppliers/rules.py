"""What a supplier is, when it may be paid, and what counts as the same registration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, FieldError, Forbidden, NotFound

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.suppliers.identifiers import phone_digits


class SupplierStatus(StrEnum):
    """Whether a supplier may be dealt with. `merged` and `closed` are ends."""

    ACTIVE = "active"
    HELD = "held"
    MERGED = "merged"
    CLOSED = "closed"


NEXT: Mapping[SupplierStatus, frozenset[SupplierStatus]] = {
    SupplierStatus.ACTIVE: frozenset({SupplierStatus.HELD, SupplierStatus.MERGED, SupplierStatus.CLOSED}),
    SupplierStatus.HELD: frozenset(
        {SupplierStatus.HELD, SupplierStatus.ACTIVE, SupplierStatus.MERGED, SupplierStatus.CLOSED}
    ),
    SupplierStatus.MERGED: frozenset(),
    SupplierStatus.CLOSED: frozenset(),
}


class HoldReason(StrEnum):
    """Why no invoice of a supplier may be paid."""

    SUSPECTED_FRAUD = "suspected_fraud"
    DETAILS_UNVERIFIED = "details_unverified"
    DISPUTE = "dispute"
    INSOLVENCY = "insolvency"
    COURT_ORDER = "court_order"
    OTHER = "other"


RELEASED_BY_APPROVER = frozenset({HoldReason.SUSPECTED_FRAUD, HoldReason.COURT_ORDER})
"""Holds that only an approver of bank-account changes releases: not the person they may be about."""

BANK_ACCOUNT_CHANGE = "bank_account_change"
"""The hold reason of a supplier with an open bank-account change."""


ERP = "erp"
REGISTRARS = frozenset({ERP, "supplier_registrar"})
"""The roles of systems that register suppliers under references of their sources."""

MANUAL = "manual"
"""The source of a supplier that a person registers."""

UNKNOWN_SECTOR = FieldError("market_sector", "no such market sector", "a code of /v1/market-sectors")


class ContactPurpose(StrEnum):
    """What a contact is written to about."""

    REMITTANCE = "remittance"
    ACCOUNTS = "accounts"
    GENERAL = "general"


class ReleaseNeedsApprover(Forbidden):
    """A hold for suspected fraud or by court order is released by an approver of bank-account changes."""

    code = "release-needs-approver"


class ContactsLocked(Conflict):
    """While a bank-account change is open, the contacts it is checked with and that are warned of it stay."""

    code = "contacts-locked-by-bank-account-change"


class NotYourSource(Forbidden):
    """A registration has fields that only the system which owns the source may set."""

    code = "not-your-source"


class UnknownMarketSector(NotFound):
    """The sector named is not on the list."""

    code = "market-sector-not-found"


class UnknownContact(NotFound):
    """A contact id that the supplier does not have."""

    code = "contact-not-found"


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of a supplier. `phone_since`: since when the supplier's number is the one held here."""

    name: str
    email: str | None
    phone: str | None
    purpose: ContactPurpose
    phone_since: date | None = None
    id: UUID | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Contact:
        """A contact as the database keeps it."""
        since = stored["phone_since"]
        return cls(
            stored["name"],
            stored["email"],
            stored["phone"],
            ContactPurpose(stored["purpose"]),
            date.fromisoformat(since) if since else None,
            UUID(stored["id"]),
        )

    def stored(self) -> dict[str, Any]:
        """The contact as JSON."""
        return {
            "id": str(self.id),
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "purpose": self.purpose.value,
            "phone_since": self.phone_since.isoformat() if self.phone_since else None,
        }


@dataclass(frozen=True, slots=True)
class NewSupplier:
    """A supplier as a source system sends it, its fields checked one by one."""

    source_system: str
    source_reference: str
    name: str
    company_number: str | None
    vat_number: str | None
    market_sector: str | None
    payment_terms_days: int
    contacts: tuple[Contact, ...]
    address: dict[str, Any] | None
    bank_account: BankDetails | None

    @property
    def source(self) -> tuple[str, str]:
        return self.source_system, self.source_reference

    def content(self) -> dict[str, Any]:
        """What two registrations of one source reference must agree on, the bank account apart."""
        return comparable(
            name=self.name,
            company_number=self.company_number,
            vat_number=self.vat_number,
            market_sector=self.market_sector,
            payment_terms_days=self.payment_terms_days,
            contacts=[contact.stored() for contact in self.contacts],
            address=self.address,
        )


def payment_hold_reasons(open_holds: Sequence[HoldReason], *, bank_account_change_open: bool) -> list[str]:
    """Why nothing may be paid to a supplier now; empty when it may.

    >>> payment_hold_reasons([HoldReason.DISPUTE, HoldReason.DISPUTE], bank_account_change_open=True)
    ['bank_account_change', 'dispute']
    """
    reasons = {reason.value for reason in open_holds}
    return sorted(reasons | {BANK_ACCOUNT_CHANGE}) if bank_account_change_open else sorted(reasons)


def with_phone_dates(contacts: Sequence[Contact], held: Sequence[Contact], *, today: date) -> list[Contact]:
    """Contacts with the day since when each number is held: kept for a number we had, today for a new one.

    What a call-back may rely on: a changed number starts its time anew, whatever contact it is written under.
    """
    since: dict[str, date] = {}
    for contact in held:
        if contact.phone and contact.phone_since:
            digits = phone_digits(contact.phone)
            since[digits] = min(contact.phone_since, since.get(digits, contact.phone_since))
    return [
        replace(contact, phone_since=since.get(phone_digits(contact.phone), today) if contact.phone else None)
        for contact in contacts
    ]


def with_known_ids(contacts: Sequence[Contact], held: Sequence[Contact]) -> list[Contact]:
    """Contacts without an id that are held word for word keep theirs: not every source knows our ids."""
    named = {contact.id for contact in contacts}
    free = {_as_written(contact): contact.id for contact in held if contact.id not in named}
    return [
        contact if contact.id else replace(contact, id=free.pop(_as_written(contact), None)) for contact in contacts
    ]


def _as_written(contact: Contact) -> tuple[Any, ...]:
    return contact.name, contact.email, contact.phone, contact.purpose


def removed_emails(held: Sequence[Contact], wanted: Sequence[Contact]) -> dict[str, str]:
    """The e-mail addresses that a change of contacts takes away, each with its contact's name."""
    kept = {contact.email.casefold() for contact in wanted if contact.email}
    removed = {contact.email.casefold(): contact for contact in held if contact.email}
    return {str(contact.email): contact.name for email, contact in removed.items() if email not in kept}


def check_registration(supplier: NewSupplier, *, roles: frozenset[str]) -> list[FieldError]:
    """What a caller of these roles may not set of a new supplier; empty when all is theirs to set.

    Three people guard the change of an account, so no single person may make the first one: an account, and since
    when a number is held, come from the ERP only. A person registers under the source `manual`: under the ERP's name
    its next reference could be taken before the ERP does. Council policy.
    """
    errors = []
    if not roles & REGISTRARS and supplier.source_system != MANUAL:
        errors.append(FieldError("source.system", "a system's, sent by a person", MANUAL))
    if ERP not in roles:
        if supplier.bank_account is not None:
            errors.append(FieldError("bank_account", "not sent by the ERP", "none here, then a bank-account change"))
        errors += [
            FieldError(f"contacts.{index}.phone_since", "not sent by the ERP", "none: the number counts from today")
            for index, contact in enumerate(supplier.contacts)
            if contact.phone_since is not None
        ]
    return errors


def future_phone_dates(supplier: NewSupplier, *, today: date) -> list[str]:
    """The fields that say a number is held since a day that has not come."""
    return [
        f"contacts.{index}.phone_since"
        for index, contact in enumerate(supplier.contacts)
        if contact.phone_since is not None and contact.phone_since > today
    ]


def comparable(*, contacts: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    """Fields of a supplier as they are compared: contacts without what we added to them."""
    ours = {"id", "phone_since"}
    written = [{name: value for name, value in contact.items() if name not in ours} for contact in contacts]
    return {**fields, "contacts": written}


def fingerprints(content: Mapping[str, Any]) -> dict[str, str]:
    """A short digest of each field: enough to know a registration again without keeping old personal data."""
    return {name: _digest(value) for name, value in content.items()}


_as_text = json.JSONEncoder(sort_keys=True).encode


def _digest(value: Any) -> str:
    return hashlib.blake2b(_as_text(value).encode(), digest_size=8).hexdigest()


def differing_fields(
    content: Mapping[str, Any], *, registered: Mapping[str, str], current: Mapping[str, Any]
) -> list[str]:
    """The fields that are neither as first registered nor as they are now: names, never values.

    >>> before = {"name": "Ardley Paving", "payment_terms_days": 30}
    >>> now = before | {"name": "Ardley Paving Ltd"}
    >>> differing_fields(before, registered=fingerprints(before), current=now)
    []
    >>> differing_fields(now | {"payment_terms_days": 14}, registered=fingerprints(before), current=now)
    ['payment_terms_days']
    """
    return sorted(
        name for name, value in content.items() if value != current.get(name) and _digest(value) != registered.get(name)
    )
