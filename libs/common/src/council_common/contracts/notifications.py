"""Events of notification-service: what became of each message."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from council_common.contracts.fields import FailureId, MessageId, TemplateId
from council_common.events.contract import Event


class MessageEvent(Event, topic="notifications.v1", producer="notification-service", key="message_id"):
    """About one message. `about_id` is the notice, payment or change it is about."""

    message_id: MessageId
    template: Annotated[str, Field(examples=["reminder"])]
    template_version: Annotated[int, Field(ge=1, examples=[1])]
    channel: Annotated[str, Field(examples=["email"])]
    about_kind: Annotated[str, Field(examples=["dunning_notice"])]
    about_id: Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-00000000000a"])]


class MessageSentV1(MessageEvent):
    """The carrier took it."""


class MessageDeliveredV1(MessageEvent):
    """The carrier's final, good answer: the next mail server took the e-mail, the print room's mailbox the letter.

    Not that it was printed, posted or read (GOV.UK Notify's `received` is not "delivered" either).
    """


class MessageFailedV1(MessageEvent):
    """It will not reach its recipient this way."""

    reason: Annotated[str, Field(examples=["address_refused"], description="A code: what stopped it.")]
    was_sent: Annotated[
        bool, Field(examples=[True], description="Whether a carrier had taken it; false: it never left.")
    ] = True


class FailureEvent(Event, topic="notifications.v1", producer="notification-service", key="failure_id"):
    """About an address of a recipient that a mail server refused; the address itself stays with us."""

    failure_id: FailureId
    recipient_kind: Annotated[Literal["supplier", "customer"], Field(examples=["customer"])]
    recipient_id: Annotated[UUID, Field(examples=["0195a1b2-0000-7000-8000-000000000006"])]
    channel: Annotated[str, Field(examples=["email"])]


class AddressConfirmedV1(FailureEvent):
    """An officer found out that the address works again: what could not be delivered there may be sent anew."""


class TemplateEvent(Event, topic="notifications.v1", producer="notification-service", key="template_id"):
    """About one version of a message template, never its words: read them at `/v1/message-templates`."""

    template_id: TemplateId
    template: Annotated[str, Field(examples=["reminder"])]
    purpose: Annotated[Literal["enforce_debt", "inform"], Field(examples=["enforce_debt"])]
    template_version: Annotated[int, Field(ge=1, examples=[2])]


class MessageTemplateProposedV1(TemplateEvent):
    """Somebody wrote a version; no message is written by it until a second person approves it."""


class MessageTemplateApprovedV1(TemplateEvent):
    """A second person approved a version: messages are written by it from now on."""


class MessageTemplateRejectedV1(TemplateEvent):
    """A second person rejected a version."""
