"""Templates and their versions. A version is never changed: a message says by which one it was written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from council_common.contracts.message_values import Sender, ValueKind
from council_common.database.columns import UTC_TIME, EnumText, Listed
from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from notification_service.message_templates.rules import Decision, TemplatePurpose
from notification_service.rows import Row


class MessageTemplate(Listed, Row, table=True):
    """A template by its name. `newest` is the number of its newest version, `in_use` that of the last approved one.

    `waiting`: the newest waits for a second person. Purpose and sender are those of every version: words that ask for
    money are another template than words that inform.
    """

    __tablename__ = "message_template"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("in_use <= newest AND NOT (waiting AND coalesce(in_use = newest, false))", name="in_use"),
        Index(None, "name", "id"),
        Index(None, "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    name: str = Field(sa_type=Text)
    purpose: TemplatePurpose = Field(sa_type=EnumText(TemplatePurpose))
    written_for: Sender | None = Field(default=None, sa_type=EnumText(Sender))
    newest: int
    in_use: int | None = None
    waiting: bool
    created_at: datetime = Field(sa_type=UTC_TIME)
    created_by: str = Field(sa_type=Text)
    created_by_name: str = Field(sa_type=Text)


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
    placeholders: dict[str, ValueKind] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=UTC_TIME)
    created_by: str = Field(sa_type=Text)
    created_by_name: str = Field(sa_type=Text)


class MessageTemplateDecision(Row, table=True):
    """What a second person made of a version, once."""

    __tablename__ = "message_template_decision"
    __table_args__ = (
        ForeignKeyConstraint(
            ["name", "version"],
            ["message_template_version.name", "message_template_version.version"],
            name="fk_message_template_decision_version",
        ),
    )

    name: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    decision: Decision = Field(sa_type=EnumText(Decision))
    decision_note: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=UTC_TIME)
    decided_by: str = Field(sa_type=Text)
    decided_by_name: str = Field(sa_type=Text)
