"""Customers on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.fields import SourceReference
from council_common.fields import AddresseeName, AddressIn, EmailAddress, Form, RequestModel, Sentence, SourceIn
from council_common.web.bulk import BulkIn
from pydantic import BaseModel, Field, StrictBool, model_validator

from debt_service.ledger.customers.rules import Channel, CustomerKind, NewCustomer

Language = Annotated[str, Form(r"^[a-z]{2,3}(-[A-Z]{2})?$", "a language such as en or cy-GB")]


class CustomerIn(RequestModel):
    """A customer as a source system sends it. Who has an e-mail address alone is written to by e-mail."""

    source: SourceIn
    kind: CustomerKind
    name: AddresseeName
    email: EmailAddress | None = None
    address: AddressIn | None = None
    preferred_channel: Channel = Channel.LETTER
    language: Language = "en"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.email is not None and self.address is None and "preferred_channel" not in self.model_fields_set:
            self.preferred_channel = Channel.EMAIL
        if self.preferred_channel == Channel.EMAIL and self.email is None:
            raise ValueError("a customer who prefers email needs an email address")
        return self

    def as_new(self) -> NewCustomer:
        """As the rules take it."""
        return NewCustomer(
            source_system=self.source.system,
            source_reference=self.source.reference,
            kind=self.kind,
            name=self.name,
            email=self.email,
            address=None if self.address is None else self.address.model_dump(),
            preferred_channel=self.preferred_channel,
            language=self.language,
        )


class CustomersIn(BulkIn, of=CustomerIn):
    """Customers to register."""


class CustomerChangeIn(RequestModel):
    """What may change; only the fields that are sent do."""

    kind: CustomerKind = CustomerKind.INDIVIDUAL
    name: AddresseeName = ""
    email: EmailAddress | None = None
    address: AddressIn | None = None
    preferred_channel: Channel = Channel.LETTER
    language: Language = "en"
    suppressed: Annotated[StrictBool, Field(description="No notice is issued, whatever is owed.")] = False
    note: Annotated[Sentence | None, Field(description="Why, for the history.")] = None

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, with their new values."""
        return self.model_dump(include=self.model_fields_set - {"note"})


class CustomerOut(BaseModel):
    """A customer."""

    id: UUID
    version: int
    source: SourceReference
    kind: CustomerKind
    name: str
    email: str | None
    address: dict[str, Any] | None
    preferred_channel: Channel
    language: str
    suppressed: bool
    on_hold: bool
    email_failed_at: Annotated[
        datetime | None,
        Field(description="When its e-mail address turned out unusable; null once it is changed or confirmed."),
    ]
    letter_failed_at: Annotated[datetime | None, Field(description="The same of its postal address.")]

    @classmethod
    def of(cls, customer: Any) -> CustomerOut:
        """From a stored customer, or a row of the list."""
        values = {name: getattr(customer, name) for name in cls.model_fields if name != "source"}
        source = {"system": customer.source_system, "reference": customer.source_reference}
        return cls.model_validate({**values, "source": source})
