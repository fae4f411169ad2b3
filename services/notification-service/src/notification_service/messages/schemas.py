"""Messages on the wire."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.database.history import ChangeOut
from pydantic import BaseModel, ConfigDict, Field, field_validator

from notification_service.message_templates.rules import NAME_PATTERN, PLACEHOLDER_PATTERN, Channel, is_sendable
from notification_service.message_templates.schemas import Words
from notification_service.messages.rules import WRITTEN_FOR_EVENTS, NewMessage, Status
from notification_service.messages.tables import Message, MessageEvent, Rendering
from notification_service.messages.usecases import about_itself
from notification_service.recipients.rules import RecipientKind

MAX_DEPTH = 20
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,59}$")]


class RecipientRef(BaseModel):
    """Whose record: the address is looked up when the message leaves."""

    model_config = ConfigDict(extra="forbid")

    kind: RecipientKind
    id: UUID


class AboutRef(BaseModel):
    """What a message is about: a dunning notice, a payment, a bank-account change, or something of the caller's."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Code, Field(examples=["complaint"])]
    id: UUID


class MessageIn(BaseModel):
    """A message to be sent by hand. Amounts in `values` are whole pence, dates ISO."""

    model_config = ConfigDict(extra="forbid")

    template: Annotated[str, Field(pattern=NAME_PATTERN, examples=["reminder"])]
    channel: Channel = Channel.EMAIL
    recipient: RecipientRef
    values: Annotated[dict[Annotated[str, Field(pattern=PLACEHOLDER_PATTERN)], Any], Field(max_length=100)] = {}
    reference: Annotated[Words | None, Field(max_length=200, examples=["R0000123"])] = None
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
            for each in level:
                if isinstance(each, float) and not math.isfinite(each):
                    raise ValueError("values cannot hold NaN or infinity")
                if isinstance(each, str) and not is_sendable(each):
                    raise ValueError("values cannot hold NUL or half a character")
            level = [part for each in level for part in _parts(each)]
        if level:
            raise ValueError(f"values cannot be nested deeper than {MAX_DEPTH}")
        return values

    def new_message(self) -> NewMessage:
        kind, about_id = (self.about.kind, self.about.id) if self.about else about_itself()
        return NewMessage(
            template=self.template,
            channel=self.channel.value,
            recipient_kind=self.recipient.kind,
            recipient_id=self.recipient.id,
            about_kind=kind,
            about_id=about_id,
            values=self.values,
            reference=self.reference,
        )


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()


class ReasonIn(BaseModel):
    """Why; kept in the log. No personal data."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Words | None, Field(max_length=500)] = None


class StatusOut(BaseModel):
    """One entry of the log. `sent`: the mail server took it; `delivered` follows at once on these channels."""

    version: int
    status: Status
    code: str | None
    explanation: str | None
    attempt: int
    at: datetime

    @classmethod
    def of(cls, row: MessageEvent) -> Self:
        return cls.model_validate(row, from_attributes=True)


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
    status: Status
    code: str | None
    attempt: int
    body_sha256: str | None
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, row: Message, **more: Any) -> Self:
        return cls(
            **row.model_dump(include=set(cls.model_fields) - {"status"}),
            recipient=RecipientRef(kind=RecipientKind(row.recipient_kind), id=row.recipient_id),
            about=AboutRef(kind=row.about_kind, id=row.about_id),
            status=Status(row.status),
            **more,
        )


class MessageWithLogOut(MessageOut):
    """A message with everything that became of it."""

    status_history: list[StatusOut]


class BodyOut(BaseModel):
    """What was said and to which address. `body_sha256` is the SHA-256 of `text` in UTF-8, and of a NUL and `html`
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
    def of(cls, row: Rendering) -> Self:
        return cls(**row.model_dump(exclude={"number"}), rendering=row.number)


class TotalOut(BaseModel):
    """How many messages of a template, channel and status."""

    model_config = ConfigDict(from_attributes=True)

    template: str
    channel: str
    status: Status
    count: int


class TotalsOut(BaseModel):
    """Counts that must agree with what the carrier took and what the services asked for."""

    items: list[TotalOut]
    count: int


def change_out(row: MessageEvent) -> ChangeOut:
    """An entry of the log as every service's history shows changes."""
    return ChangeOut(
        version=row.version,
        at=row.at,
        by=row.by,
        by_name=row.by_name,
        action=row.status,
        reason=row.explanation or row.code,
        detail={"attempt": row.attempt} | ({"code": row.code} if row.code else {}),
    )
