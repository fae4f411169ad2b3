"""Templates on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from notification_service.message_templates.rules import NAME_PATTERN, PLACEHOLDER_PATTERN, Channel, Rendered, Wording
from notification_service.message_templates.tables import MessageTemplateVersion

# PostgreSQL keeps no NUL in text.
Words = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Placeholder = Annotated[str, Field(pattern=PLACEHOLDER_PATTERN)]


class TemplateTextIn(BaseModel):
    """The words of a template. Jinja: `{{ amount_pence | money }}`, `{{ due_on | day }}`, `{% if … %}`, `{% for … %}`.

    Besides the declared placeholders there are always `recipient_name`, `recipient_is_person`, `council_name`,
    `council_contact`, `how_to_pay` and `written_on`.
    """

    model_config = ConfigDict(extra="forbid")

    channels: Annotated[set[Channel], Field(min_length=1, examples=[["email", "letter"]])]
    subject: Annotated[Words, Field(min_length=1, max_length=500, examples=["Invoice {{ number }} is overdue"])]
    text: Annotated[Words, Field(min_length=1, max_length=20_000)]
    html: Annotated[
        Words | None, Field(max_length=50_000, description="Shown in place of the text; values are escaped.")
    ] = None
    placeholders: Annotated[set[Placeholder], Field(max_length=100, examples=[["number"]])] = set()

    def wording(self) -> Wording:
        return Wording(
            channels=frozenset(self.channels),
            subject=self.subject,
            text=self.text,
            html=self.html,
            placeholders=frozenset(self.placeholders),
        )


class TemplateIn(TemplateTextIn):
    """A new template."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, examples=["plan_offer"])]


class TemplateOut(BaseModel):
    """One version of a template; it never changes."""

    name: str
    version: int
    channels: list[Channel]
    subject: str
    text: str
    html: str | None
    placeholders: list[str]
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, row: MessageTemplateVersion) -> Self:
        return cls.model_validate(row, from_attributes=True)


class TemplateVersionsOut(BaseModel):
    """Every version of a template, oldest first."""

    items: list[TemplateOut]


class PreviewIn(BaseModel):
    """Values to try a template with; amounts are whole pence, dates ISO (2026-03-11)."""

    model_config = ConfigDict(extra="forbid")

    values: Annotated[dict[Placeholder, Any], Field(max_length=100)] = {}
    version: Annotated[int | None, Field(ge=1, description="The newest where none is named.")] = None


class PreviewOut(BaseModel):
    """The message as it would be sent, to a made-up recipient."""

    template: str
    template_version: int
    subject: str
    text: str
    html: str | None

    @classmethod
    def of(cls, template: MessageTemplateVersion, rendered: Rendered) -> Self:
        return cls(
            template=template.name,
            template_version=template.version,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
        )
