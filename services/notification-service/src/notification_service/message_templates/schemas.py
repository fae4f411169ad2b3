"""Templates on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.contracts.message_values import Sender, ValueKind
from council_common.fields import WITHOUT_NUL, RequestModel
from pydantic import BaseModel, Field, StrictInt

from notification_service.message_templates.rules import (
    NAME_FORM,
    PLACEHOLDER_FORM,
    Channel,
    Rendered,
    TemplatePurpose,
    VersionStatus,
    Wording,
    status_of,
)
from notification_service.message_templates.tables import MessageTemplateVersion

# Kept to the letter, spaces at the ends too.
Words = Annotated[str, Field(min_length=1, pattern=WITHOUT_NUL)]
Placeholder = Annotated[str, PLACEHOLDER_FORM]


class TemplateVersionIn(RequestModel):
    """The words of a template. Jinja: `{{ amount_pence | money }}`, `{{ due_on | day }}`, `{% if … %}`, `{% for … %}`.

    They are proposed: nothing is written by them until a second person approves them.
    Besides the declared placeholders there are always `recipient_name`, `recipient_is_person`, `council_name`,
    `council_contact`, `how_to_pay` and `written_on`.
    """

    channels: Annotated[set[Channel], Field(min_length=1, examples=[["email", "letter"]])]
    subject: Annotated[Words, Field(max_length=500, examples=["Invoice {{ number }} is overdue"])]
    text: Annotated[Words, Field(max_length=20_000)]
    html: Annotated[
        Words | None, Field(max_length=50_000, description="Shown in place of the text; values are escaped.")
    ] = None
    placeholders: Annotated[
        dict[Placeholder, ValueKind],
        Field(
            default_factory=dict,
            max_length=100,
            examples=[{"number": "text", "amount_pence": "pence", "due_on": "date"}],
            description="What the words ask for, and of which kind.",
        ),
    ]

    def wording(self) -> Wording:
        """The words as the rules take them."""
        return Wording(
            channels=frozenset(self.channels),
            subject=self.subject,
            text=self.text,
            html=self.html,
            placeholders=self.placeholders,
        )


class TemplateIn(TemplateVersionIn):
    """A new template."""

    name: Annotated[str, NAME_FORM, Field(examples=["plan_offer"])]
    purpose: Annotated[
        TemplatePurpose,
        Field(
            description="enforce_debt where its words ask for what is owed, press or threaten: it reaches nobody in "
            "breathing space, suppressed or on hold. inform for words that do none of it."
        ),
    ] = TemplatePurpose.ENFORCE_DEBT
    written_for: Annotated[
        Sender | None,
        Field(
            description="The sender whose messages may be written by it, which fills in its placeholders: a dunning "
            "ladder names templates written for a dunning_notice. Without one it is for messages by hand."
        ),
    ] = None


class TemplateOut(BaseModel):
    """A template in one of its versions, which never changes. `id` is the template's."""

    id: UUID
    name: str
    purpose: TemplatePurpose
    written_for: Sender | None
    version: int
    status: VersionStatus
    in_use: Annotated[int | None, Field(description="The number of the version that messages are written by.")]
    channels: list[Channel]
    subject: str
    text: str
    html: str | None
    placeholders: dict[str, ValueKind]
    created_at: datetime
    created_by: str
    created_by_name: str
    decided_at: datetime | None
    decided_by: str | None
    decided_by_name: str | None
    decision_note: str | None

    @classmethod
    def of(cls, template: Any, version: Any) -> Self:
        """From a template and one of its versions with what was decided about it, or rows of the lists."""
        of_template = ("id", "purpose", "written_for", "in_use")
        names = cls.model_fields.keys() - {"status", *of_template}
        return cls(
            status=status_of(version.version, version.decision, newest=template.newest),
            **{name: getattr(template, name) for name in of_template},
            **{name: getattr(version, name) for name in names},
        )


class PreviewIn(RequestModel):
    """Values to try a template with; amounts are whole pence, dates ISO (2026-03-11)."""

    values: Annotated[dict[Placeholder, Any], Field(default_factory=dict, max_length=100)]
    version: Annotated[StrictInt | None, Field(ge=1, le=1_000_000, description="The newest if none is named.")] = None


class PreviewOut(BaseModel):
    """The message as it would be sent, to a made-up recipient."""

    template: str
    template_version: int
    subject: str
    text: str
    html: str | None

    @classmethod
    def of(cls, template: MessageTemplateVersion, rendered: Rendered) -> Self:
        """From the version and its words with the values in."""
        return cls(
            template=template.name,
            template_version=template.version,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
        )
