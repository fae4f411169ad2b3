"""Templates on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from council_common.fields import WITHOUT_NUL, RequestModel
from pydantic import BaseModel, Field, StrictInt

from notification_service.message_templates.rules import (
    NAME_FORM,
    PLACEHOLDER_FORM,
    Channel,
    Rendered,
    TemplatePurpose,
    Wording,
)
from notification_service.message_templates.tables import MessageTemplateVersion

# Kept to the letter, spaces at the ends too.
Words = Annotated[str, Field(min_length=1, pattern=WITHOUT_NUL)]
Placeholder = Annotated[str, PLACEHOLDER_FORM]


class TemplateVersionIn(RequestModel):
    """The words of a template. Jinja: `{{ amount_pence | money }}`, `{{ due_on | day }}`, `{% if … %}`, `{% for … %}`.

    Besides the declared placeholders there are always `recipient_name`, `recipient_is_person`, `council_name`,
    `council_contact`, `how_to_pay` and `written_on`.
    """

    channels: Annotated[set[Channel], Field(min_length=1, examples=[["email", "letter"]])]
    subject: Annotated[Words, Field(max_length=500, examples=["Invoice {{ number }} is overdue"])]
    text: Annotated[Words, Field(max_length=20_000)]
    html: Annotated[
        Words | None, Field(max_length=50_000, description="Shown in place of the text; values are escaped.")
    ] = None
    placeholders: Annotated[set[Placeholder], Field(default_factory=set, max_length=100, examples=[["number"]])]

    def wording(self) -> Wording:
        """The words as the rules take them."""
        return Wording(
            channels=frozenset(self.channels),
            subject=self.subject,
            text=self.text,
            html=self.html,
            placeholders=frozenset(self.placeholders),
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


class TemplateOut(BaseModel):
    """A template in one of its versions, which never changes. `id` is the template's."""

    id: UUID
    name: str
    purpose: TemplatePurpose
    version: int
    channels: list[Channel]
    subject: str
    text: str
    html: str | None
    placeholders: list[str]
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, template: Any, version: Any) -> Self:
        """From a template and a stored version of it, or rows of the lists."""
        names = cls.model_fields.keys() - {"id", "purpose"}
        return cls(id=template.id, purpose=template.purpose, **{name: getattr(version, name) for name in names})


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
