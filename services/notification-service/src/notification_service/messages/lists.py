"""What the list of messages is narrowed by, sorted by, and shows as CSV; and what their totals are narrowed by."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.fields import Code, Day
from council_common.web.csv_export import NameBeside
from council_common.web.lists import ResourceList
from council_common.web.query_models import QueryModel
from pydantic import Field
from sqlalchemy import ColumnElement, case
from sqlmodel import col

from notification_service.message_templates.rules import NAME_FORM, Channel
from notification_service.messages.purposes import Purpose
from notification_service.messages.rules import MessageStatus
from notification_service.messages.tables import Message
from notification_service.recipients.rules import RecipientKind


def _recipient(kind: RecipientKind) -> ColumnElement[UUID | None]:
    """The recipient's id where it is of this kind: the names stand in the service that has the record."""
    return case((col(Message.recipient_kind) == kind, col(Message.recipient_id))).label(f"{kind}_id")


class MessageList(
    ResourceList,
    of=Message,
    sorts=("created_at",),
    default="-created_at",
    csv=(
        *("id", "created_at", "template", "template_version", "channel", "purpose", "about_kind", "about_id"),
        *("receivable_id", "reference"),
        _recipient(RecipientKind.SUPPLIER),
        _recipient(RecipientKind.CUSTOMER),
        *("status", "code", "attempt", "body_sha256", "created_by", "created_by_name"),
    ),
    names=(
        NameBeside("supplier_id", "supplier", "/v1/suppliers"),
        NameBeside("customer_id", "debt", "/v1/customers"),
    ),
):
    """Messages that meet every condition given; `created_from` and `created_to` are days of London, both included."""

    template: Annotated[str, NAME_FORM] | None = None
    channel: Channel | None = None
    status: MessageStatus | None = None
    recipient_kind: RecipientKind | None = None
    recipient_id: UUID | None = None
    purpose: Purpose | None = None
    receivable_id: UUID | None = None
    about_kind: Code | None = None
    about_id: UUID | None = None
    created_from: Day | None = None
    created_to: Day | None = None


class TotalsQuery(QueryModel):
    """The days of London on which the counted messages were made, both included."""

    created_from: Day | None = None
    created_to: Day | None = None

    @property
    def messages(self) -> MessageList:
        """The list of the messages that are counted."""
        return MessageList(created_from=self.created_from, created_to=self.created_to)


class BodyQuery(QueryModel):
    """Which of a message's renderings."""

    rendering: Annotated[int | None, Field(ge=1, le=1_000_000, description="The latest where none is named.")] = None
