"""Messages on the wire."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import Code, Name, RequestModel, Sentence
from council_common.ids import new_id
from pydantic import BaseModel, ConfigDict, Field, field_validator

from notification_service.message_templates.rules import NAME_FORM, PLACEHOLDER_FORM, Channel, is_sendable
from notification_service.messages.rules import BY_HAND, WRITTEN_FOR_EVENTS, MessageStatus, NewMessage
from notification_service.messages.tables import Rendering
from notification_service.recipients.rules import RecipientKind

MAX_DEPTH = 20


class RecipientRef(RequestModel):
    """Whose record: the address is looked up when the message leaves."""

    kind: RecipientKind
    id: UUID


class AboutRef(RequestModel):
    """What a message is about: a dunning notice, a payment, a bank-account change, or something of the caller's."""

    kind: Annotated[Code, Field(examples=["complaint"])]
    id: UUID


class MessageIn(RequestModel):
    """A message to be sent by hand. Amounts in `values` are whole pence, dates ISO."""

    template: Annotated[str, NAME_FORM, Field(examples=["reminder"])]
    channel: Channel = Channel.EMAIL
    recipient: RecipientRef
    values: Annotated[dict[Annotated[str, PLACEHOLDER_FORM], Any], Field(default_factory=dict, max_length=100)]
    reference: Annotated[Name | None, Field(examples=["R0000123"])] = None
    about: Annotated[
        AboutRef | None,
        Field(
            description="At most one message per template is sent about the same thing. Not about a dunning notice, "
            "a payment or a bank-account change: those are written for events."
        ),
    ] = None

    @field_validator("about")
    @classmethod
    def _not_reserved(cls, about: AboutRef | None) -> AboutRef | None:
        if about is not None and about.kind in WRITTEN_FOR_EVENTS:
            raise ValueError(f"messages about a {about.kind} are written for events, never by hand")
        return about

    @field_validator("values")
    @classmethod
    def _storable(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Refuse what JSON readers take and PostgreSQL does not keep: NUL, halves of characters, NaN, infinity."""
        level: list[Any] = [values]
        for _ in range(MAX_DEPTH):
            for value in level:
                if isinstance(value, float) and not math.isfinite(value):
                    raise ValueError("values cannot hold NaN or infinity")
                if isinstance(value, str) and not is_sendable(value):
                    raise ValueError("values cannot hold NUL or half a character")
            level = [part for value in level for part in _parts(value)]
        if level:
            raise ValueError(f"values cannot be nested deeper than {MAX_DEPTH}")
        return values

    def new_message(self) -> NewMessage:
        """The message as the rules take it. One that is about nothing is about itself, so that it is one of its own."""
        about_kind, about_id = (self.about.kind, self.about.id) if self.about else (BY_HAND, new_id())
        return NewMessage(
            template=self.template,
            channel=self.channel.value,
            recipient_kind=self.recipient.kind,
            recipient_id=self.recipient.id,
            about_kind=about_kind,
            about_id=about_id,
            values=self.values,
            reference=self.reference,
        )


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


class OptionalNoteIn(RequestModel):
    """Why, in an officer's words; kept in the history. No personal data."""

    note: Sentence | None = None


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
    reference: str | None
    status: MessageStatus
    code: str | None
    attempt: int
    body_sha256: str | None
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, message: Any, **more: Any) -> Self:
        """From a stored message, or a row of the list."""
        columns = cls.model_fields.keys() - {"recipient", "about"} - more.keys()
        return cls(
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
