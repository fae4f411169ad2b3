"""Customers on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from debt_service.fields import NO_CONTROL_CHARACTERS, Sentence, Short, SourceIn
from debt_service.ledger.customers.rules import Channel, CustomerKind, NewCustomer
from debt_service.ledger.customers.tables import Customer

Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$")
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class AddressIn(BaseModel):
    """A postal address: one to six lines and a postcode."""

    model_config = ConfigDict(extra="forbid")

    lines: Annotated[list[Name], Field(min_length=1, max_length=6)]
    postcode: Annotated[Short | None, Field(examples=["TR1 3AY"])] = None


class CustomerIn(BaseModel):
    """A customer as a source system sends it."""

    model_config = ConfigDict(extra="forbid")

    source: SourceIn
    kind: CustomerKind
    name: Name
    email: Email | None = None
    address: AddressIn | None = None
    preferred_channel: Channel = Channel.LETTER
    language: Language = "en"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.preferred_channel == Channel.EMAIL and self.email is None:
            raise ValueError("a customer who prefers email needs an email address")
        return self

    def as_new(self) -> NewCustomer:
        return NewCustomer(
            system=self.source.system,
            reference=self.source.reference,
            kind=self.kind,
            name=self.name,
            email=self.email,
            address=None if self.address is None else self.address.model_dump(),
            preferred_channel=self.preferred_channel,
            language=self.language,
        )


class CustomerPatch(BaseModel):
    """What may change; only the fields that are sent do."""

    model_config = ConfigDict(extra="forbid")

    kind: CustomerKind = CustomerKind.INDIVIDUAL
    name: Name = ""
    email: Email | None = None
    address: AddressIn | None = None
    preferred_channel: Channel = Channel.LETTER
    language: Language = "en"
    suppressed: Annotated[bool, Field(description="No notice is issued, whatever is owed.")] = False
    reason: Annotated[Sentence | None, Field(description="Why, for the history.")] = None

    def values(self) -> dict[str, Any]:
        return self.model_dump(include=self.model_fields_set - {"reason"})


class CustomerSource(BaseModel):
    system: str
    reference: str


class CustomerOut(BaseModel):
    """A customer."""

    id: UUID
    version: int
    source: CustomerSource
    kind: CustomerKind
    name: str
    email: str | None
    address: dict[str, Any] | None
    preferred_channel: Channel
    language: str
    suppressed: bool
    on_hold: bool

    @staticmethod
    def of(customer: Customer) -> CustomerOut:
        values = customer.values("system", "reference", "created_at", "content_hash", "contact_changed_at")
        return CustomerOut(source=CustomerSource(system=customer.system, reference=customer.reference), **values)
