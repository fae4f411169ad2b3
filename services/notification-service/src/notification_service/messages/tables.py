"""Messages and their words, which are never changed (a trigger in the database). Their log is their history."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from notification_service.messages.purposes import Purpose
from notification_service.messages.rules import MessageStatus
from notification_service.recipients.rules import RecipientKind
from notification_service.rows import Row


class Message(Listed, Row, table=True):
    """One message to one recipient. Template and channel are as they were asked for: an unknown one fails, and is seen.
    An e-mail goes by letter in the end where its recipient is reached no other way; the channel is then `letter`.

    `due_at` is when it may be taken: after a wait, or when a lease is over. `rendering` is the number of its words,
    0 while it has none. `withdrawn_code` is why it must not leave any more: a queued message is cancelled for it at
    once, one that is `sending` as soon as its attempt is known not to have got through. `may_have_left`: an attempt was
    cut off before the server's answer was known, so that the message may not be called unsent. `cut_off` is how many
    attempts in a row ended without any result: the worker died. `traceparent` is the trace of what the message was
    written for, which what becomes of it carries, too.

    Where several addresses are to learn the same, each has a message of its own: `copy_number` counts them from 0, and
    `address` is the one it is for (None: the one its recipient has when it leaves).
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("about_kind", "about_id", "template", "copy_number"),
        Index("ix_message_due_at", "due_at", postgresql_where=text("status IN ('queued', 'sending')")),
        Index(
            "ix_message_withdrawn",
            "due_at",
            postgresql_where=text("withdrawn_code IS NOT NULL AND status IN ('queued', 'sending')"),
        ),
        Index("ix_message_receivable_id", "receivable_id", postgresql_where=text("receivable_id IS NOT NULL")),
        Index(None, "created_at", "id"),
        Index(None, "recipient_id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    template: str = Field(sa_type=Text)
    template_version: int
    channel: str = Field(sa_type=Text)
    recipient_kind: RecipientKind = Field(sa_type=EnumText(RecipientKind))
    recipient_id: UUID
    about_kind: str = Field(sa_type=Text)
    about_id: UUID
    receivable_id: UUID | None = None
    purpose: Purpose = Field(sa_type=EnumText(Purpose))
    addressee: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    copy_number: int
    address: str | None = Field(default=None, sa_type=Text)
    reference: str | None = Field(default=None, sa_type=Text)
    facts: dict[str, Any] = Field(sa_type=JSONB)
    status: MessageStatus = Field(sa_type=EnumText(MessageStatus))
    code: str | None = Field(default=None, sa_type=Text)
    withdrawn_code: str | None = Field(default=None, sa_type=Text)
    attempt: int
    cut_off: int
    refusals: int
    waits: int
    rendering: int
    may_have_left: bool
    body_sha256: str | None = Field(default=None, sa_type=Text)
    traceparent: str | None = Field(default=None, sa_type=Text)
    due_at: datetime = Field(sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)
    created_by: str = Field(sa_type=Text)
    created_by_name: str = Field(sa_type=Text)

    @property
    def to_customer(self) -> bool:
        """Whether it reaches its recipient, and not an adviser or representative in the recipient's place."""
        return self.addressee is None


class Rendering(Row, table=True):
    """The words of a message as they left, and the address they were sent to. Never changed.

    `number` is the attempt that put it into words: later attempts of the same send repeat them.
    """

    __tablename__ = "rendering"
    __table_args__ = (ForeignKeyConstraint(["message_id"], ["message.id"]),)

    message_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    template_version: int
    subject: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    body_sha256: str = Field(sa_type=Text)
    sent_to: list[str] = Field(sa_type=JSONB)
    enclosures: list[dict[str, Any]] = Field(sa_type=JSONB)
    rendered_at: datetime = Field(sa_type=UTC_TIME)
