"""Versions of templates. A row is never changed: a message says by which version it was written."""

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, Text
from sqlmodel import Field

from notification_service.rows import Row


class MessageTemplateVersion(Row, table=True):
    """One version of one template; the highest version of a name is the one in use."""

    __tablename__ = "message_template_version"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    name: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    channels: list[str] = Field(sa_type=ARRAY(Text))
    subject: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    placeholders: list[str] = Field(sa_type=ARRAY(Text))
    created_at: datetime
    created_by: str = Field(sa_type=Text)
