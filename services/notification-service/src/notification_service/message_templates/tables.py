"""Templates and their versions. A version is never changed: a message says by which one it was written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from notification_service.message_templates.rules import TemplatePurpose
from notification_service.rows import Row


class MessageTemplate(Listed, Row, table=True):
    """A template by its name; `version` is the number of the newest of its versions, the one in use.

    Its purpose is that of every version: words that ask for money are another template than words that inform.
    """

    __tablename__ = "message_template"
    __table_args__ = (UniqueConstraint("name"), Index(None, "name", "id"), Index(None, "created_at", "id"))

    id: UUID = Field(primary_key=True)
    version: int
    name: str = Field(sa_type=Text)
    purpose: TemplatePurpose = Field(sa_type=EnumText(TemplatePurpose))
    created_at: datetime = Field(sa_type=UTC_TIME)
    created_by: str = Field(sa_type=Text)


class MessageTemplateVersion(Row, table=True):
    """The words of one version of a template."""

    __tablename__ = "message_template_version"
    __table_args__ = (
        ForeignKeyConstraint(["name"], ["message_template.name"]),
        CheckConstraint("version >= 1", name="version"),
    )

    name: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    channels: list[str] = Field(sa_type=ARRAY(Text))
    subject: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    placeholders: list[str] = Field(sa_type=ARRAY(Text))
    created_at: datetime = Field(sa_type=UTC_TIME)
    created_by: str = Field(sa_type=Text)
