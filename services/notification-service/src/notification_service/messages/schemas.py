"""Messages on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import AddresseeName, AddressIn, Code, EmailAddress, Name, RequestModel, Sentence
from council_common.ids import new_id
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from notification_service.message_templates.rules import (
    NAME_FORM,
    PLACEHOLDER_FORM,
    Channel,
    TemplatePurpose,
)
from notification_service.messages.purposes import AddresseeRole, Purpose, purpose_of
from notification_service.messages.rules import BY_HAND, WRITTEN_FOR_EVENTS, MessageStatus, NewMessage
from notification_service.messages.tables import Rendering
from notification_service.recipients.rules import RecipientKind


class RecipientRef(RequestModel):
    """Whose record: the address is looked up when the message leaves."""

    kind: RecipientKind
    id: UUID


class AboutRef(RequestModel):
    """What a message is about: a dunning notice, a payment, a bank-account change, or something of the caller's."""

    kind: Annotated[Code, Field(examples=["complaint"])]
    id: UUID


class AddresseeIn(RequestModel):
    """Who is written to in a customer's place: the debt adviser, or a representative after a death."""

    role: AddresseeRole
    name: Annotated[AddresseeName, Field(examples=["Ashford Debt Advice"])]
    email: EmailAddress | None = None
    address: AddressIn | None = None


class MessageIn(RequestModel):
    """A message to be sent by hand, with the reason. `values` are of the kinds that the template names."""

    template: Annotated[str, NAME_FORM, Field(examples=["reminder"])]
    channel: Channel = Channel.EMAIL
    recipient: RecipientRef
    values: Annotated[dict[Annotated[str, PLACEHOLDER_FORM], Any], Field(default_factory=dict, max_length=100)]
    reference: Annotated[Name | None, Field(examples=["R0000123"])] = None
    purpose: Annotated[
        Purpose | None,
        Field(
            description="That of the template where none is named. SI 2020/1311 reg 11(2) lets past a breathing space: "
            "ongoing_liability, outside_moratorium, answer (the debtor's own request, query or complaint), "
            "court_proceedings, debt_adviser. After a death: estate."
        ),
    ] = None
    receivable_id: Annotated[UUID | None, Field(description="The debt it is about; what enforces one names it.")] = None
    addressee: Annotated[
        AddresseeIn | None, Field(description="For debt_adviser and estate: who is written to instead.")
    ] = None
    note: Annotated[Sentence, Field(description="Why it is sent, for the history. No personal data.")]
    about: Annotated[
        AboutRef | None,
        Field(
            description="At most one message per template is sent about the same thing. Not about a dunning notice, "
            "a payment or a bank-account change: those are written for events."
        ),
    ] = None

    @model_validator(mode="after")
    def _reaches_the_addressee(self) -> Self:
        if self.addressee is not None:
            way = self.addressee.address if self.channel is Channel.LETTER else self.addressee.email
            if way is None:
                raise ValueError(f"the addressee has no address for it; expected one for {self.channel}")
        return self

    @field_validator("about")
    @classmethod
    def _not_reserved(cls, about: AboutRef | None) -> AboutRef | None:
        if about is not None and about.kind in WRITTEN_FOR_EVENTS:
            raise ValueError(f"messages about a {about.kind} are written for events, never by hand")
        return about

    def new_message(self, template: TemplatePurpose) -> NewMessage:
        """The message as the rules take it. One that is about nothing is about itself, so that it is one of its own."""
        about_kind, about_id = (self.about.kind, self.about.id) if self.about else (BY_HAND, new_id())
        return NewMessage(
            template=self.template,
            channel=self.channel.value,
            recipient_kind=self.recipient.kind,
            recipient_id=self.recipient.id,
            about_kind=about_kind,
            about_id=about_id,
            purpose=purpose_of(self.purpose, template),
            values=self.values,
            reference=self.reference,
            receivable_id=self.receivable_id,
            addressee=None if self.addressee is None else self.addressee.model_dump(mode="json"),
        )


class StatusOut(BaseModel):
    """One line of the log. `sent`: the mail server took it; `delivered` follows at once on these channels."""

    version: int
    status: MessageStatus
    code: str | None
    explanation: str | None
    attempt: int
    at: datetime

    @classmethod
    def of(cls, line: Any) -> Self:
        """From a line of history: an officer's words explain what they did, else the mail server's answer does."""
        detail = line.detail
        return cls(
            version=line.version,
            status=MessageStatus(line.action),
            code=line.reason,
            explanation=detail.get("note") or detail.get("explanation"),
            attempt=detail["attempt"],
            at=line.at,
        )


class MessageOut(BaseModel):
    """A message. `code` is the reason of its status; `body_sha256` proves its words (see `/body`)."""

    id: UUID
    version: int
    template: str
    template_version: int
    channel: str
    recipient: RecipientRef
    about: AboutRef
    purpose: Purpose
    receivable_id: UUID | None
    addressee_role: Annotated[AddresseeRole | None, Field(description="Who is written to in the customer's place.")]
    reference: str | None
    status: MessageStatus
    code: str | None
    attempt: int
    body_sha256: str | None
    created_at: datetime
    created_by: str
    created_by_name: str

    @classmethod
    def of(cls, message: Any, **more: Any) -> Self:
        """From a stored message, or a row of the list."""
        columns = cls.model_fields.keys() - {"recipient", "about", "addressee_role"} - more.keys()
        return cls(
            addressee_role=None if message.addressee is None else AddresseeRole(message.addressee["role"]),
            **{name: getattr(message, name) for name in columns},
            recipient=RecipientRef(kind=message.recipient_kind, id=message.recipient_id),
            about=AboutRef(kind=message.about_kind, id=message.about_id),
            **more,
        )


class MessageWithLogOut(MessageOut):
    """A message with everything that became of it."""

    status_history: list[StatusOut]


class BodyOut(BaseModel):
    """The words and the address they went to. `body_sha256` is the SHA-256 of `text` in UTF-8, and of a NUL and `html`
    after it where there is one."""

    message_id: UUID
    rendering: int
    template_version: int
    subject: str
    text: str
    html: str | None
    body_sha256: str
    sent_to: list[str]
    enclosures: list[dict[str, Any]]
    rendered_at: datetime

    @classmethod
    def of(cls, rendering: Rendering) -> Self:
        """From a stored rendering."""
        return cls(**rendering.model_dump(exclude={"number"}), rendering=rendering.number)


class TotalOut(BaseModel):
    """How many messages of a template, channel and status."""

    model_config = ConfigDict(from_attributes=True)

    template: str
    channel: str
    status: MessageStatus
    count: int


class TotalsOut(BaseModel):
    """Counts that must agree with what the carrier took and what the services asked for."""

    items: list[TotalOut]
    count: int
