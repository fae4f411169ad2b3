"""Suppliers on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from council_common.contracts.fields import SourceReference
from council_common.fields import AddressIn, Code, Day, EmailAddress, RequestModel, SourceIn, VisibleName
from council_common.holds import HoldAnswer, HoldRequest
from council_common.web.bulk import BulkIn
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from supplier_service.bank_accounts.schemas import BankAccountIn, BankAccountOut
from supplier_service.bank_accounts.tables import BankAccount
from supplier_service.suppliers import identifiers
from supplier_service.suppliers.rules import (
    Contact,
    ContactPurpose,
    HoldReason,
    NewSupplier,
    SupplierStatus,
    payment_hold_reasons,
)
from supplier_service.suppliers.tables import SupplierHold

VatNumber = Annotated[str, Field(max_length=20, examples=["GB980780684"]), AfterValidator(identifiers.vat_number)]
CompanyNumber = Annotated[str, Field(max_length=20, examples=["00445790"]), AfterValidator(identifiers.company_number)]
Phone = Annotated[str, Field(max_length=30, examples=["01603 555 010"]), AfterValidator(identifiers.phone_number)]
TermsDays = Annotated[int, Field(strict=True, ge=0, le=365, examples=[30])]


class ContactFields(RequestModel):
    """A contact of a supplier, and what it is written to about."""

    name: Annotated[VisibleName, Field(examples=["Accounts department"])]
    email: EmailAddress | None = None
    phone: Phone | None = None
    purpose: ContactPurpose


class ContactIn(ContactFields):
    """A contact of a new supplier. `phone_since`: since when the ERP has held this number; never in the future."""

    phone_since: Annotated[Day | None, Field(examples=["2019-04-01"])] = None

    def contact(self) -> Contact:
        return Contact(self.name, self.email, self.phone, self.purpose, self.phone_since)


class ContactChangeIn(ContactFields):
    """A contact to keep (with its id) or to add (without). A new number counts from today."""

    id: UUID | None = None

    def contact(self) -> Contact:
        return Contact(self.name, self.email, self.phone, self.purpose, id=self.id)


class SupplierIn(RequestModel):
    """A supplier to register. Its bank account is taken here, from the ERP; else through a bank-account change."""

    source: SourceIn
    name: Annotated[VisibleName, Field(examples=["Ardley Paving Ltd"])]
    company_number: CompanyNumber | None = None
    vat_number: VatNumber | None = None
    market_sector: Annotated[Code | None, Field(examples=["construction"])] = None
    payment_terms_days: TermsDays = 30
    contacts: Annotated[list[ContactIn], Field(default_factory=list, max_length=20)]
    address: AddressIn | None = None
    bank_account: BankAccountIn | None = None

    def new_supplier(self) -> NewSupplier:
        """The supplier as the use case takes it."""
        return NewSupplier(
            source_system=self.source.system,
            source_reference=self.source.reference,
            name=self.name,
            company_number=self.company_number,
            vat_number=self.vat_number,
            market_sector=self.market_sector,
            payment_terms_days=self.payment_terms_days,
            contacts=tuple(contact.contact() for contact in self.contacts),
            address=self.address.model_dump() if self.address else None,
            bank_account=self.bank_account.details() if self.bank_account else None,
        )


class SupplierChangeIn(RequestModel):
    """The fields to change; those left out stay, null empties. Contacts and address are replaced as a whole."""

    name: Annotated[VisibleName | None, Field(examples=["Ardley Paving and Sons Ltd"])] = None
    company_number: CompanyNumber | None = None
    vat_number: VatNumber | None = None
    market_sector: Code | None = None
    payment_terms_days: TermsDays | None = None
    contacts: Annotated[list[ContactChangeIn] | None, Field(max_length=20)] = None
    address: AddressIn | None = None

    @field_validator("name", "payment_terms_days", "contacts")
    @classmethod
    def _cannot_be_emptied(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("cannot be emptied; expected a value, or the field left out")
        return value

    @field_validator("contacts")
    @classmethod
    def _ids_are_unique(cls, contacts: list[ContactChangeIn]) -> list[ContactChangeIn]:
        ids = [contact.id for contact in contacts if contact.id]
        if len(ids) != len(set(ids)):
            raise ValueError("a contact id appears twice; expected once")
        return contacts

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, as the use case takes them."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if self.contacts is not None:
            sent["contacts"] = [contact.contact() for contact in self.contacts]
        if self.address is not None:
            sent["address"] = self.address.model_dump()
        return sent


class SuppliersIn(BulkIn, of=SupplierIn):
    """Suppliers to register."""


class HoldIn(HoldRequest):
    """Why a supplier may not be paid."""

    reason: HoldReason


class HoldOut(HoldAnswer):
    """A reason not to pay a supplier."""

    model_config = ConfigDict(from_attributes=True)

    supplier_id: UUID
    reason: HoldReason

    @classmethod
    def of(cls, hold: SupplierHold) -> HoldOut:
        return cls.model_validate(hold)


class ContactOut(BaseModel):
    """A contact of a supplier; `phone_since` says since when the number is held."""

    id: UUID
    name: str
    email: str | None
    phone: str | None
    purpose: ContactPurpose
    phone_since: date | None


class AddressOut(BaseModel):
    """A postal address."""

    lines: list[str]
    postcode: str | None


class SupplierOut(BaseModel):
    """A supplier. `payments_held` is true with an open hold or an open bank-account change."""

    id: UUID
    version: int
    source: SourceReference
    name: str
    company_number: str | None
    vat_number: str | None
    market_sector: str | None
    payment_terms_days: int
    status: SupplierStatus
    payments_held: bool
    payment_hold_reasons: Annotated[list[str], Field(examples=[["bank_account_change"]])]
    holds: Annotated[list[HoldOut], Field(description="Those still open.")]
    open_bank_account_change_id: UUID | None
    contacts: list[ContactOut]
    address: AddressOut | None
    bank_account: Annotated[BankAccountOut | None, Field(description="The account in use, masked.")]
    registered_at: datetime

    @classmethod
    def of(cls, supplier: Any, *, holds: Sequence[SupplierHold], accounts: Sequence[BankAccount]) -> SupplierOut:
        """A stored supplier, or a row of the list, with its open holds and its accounts, the first account first."""
        reasons = payment_hold_reasons(
            [hold.reason for hold in holds],
            bank_account_change_open=supplier.open_bank_account_change_id is not None,
        )
        return cls.model_validate(
            {name: getattr(supplier, name) for name in _COLUMNS}
            | {
                "source": {"system": supplier.source_system, "reference": supplier.source_reference},
                "payments_held": bool(reasons),
                "payment_hold_reasons": reasons,
                "holds": [HoldOut.of(hold) for hold in holds],
                "bank_account": BankAccountOut.of(accounts[-1]) if accounts else None,
            }
        )


_COMPUTED = {"source", "payments_held", "payment_hold_reasons", "holds", "bank_account"}
_COLUMNS = tuple(name for name in SupplierOut.model_fields if name not in _COMPUTED)
