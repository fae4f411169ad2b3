"""What the list of message templates is narrowed by, sorted by, and shows as CSV; pages of a template's versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from council_common.contracts.message_values import Sender
from council_common.fields import TextFilter
from council_common.web.history import HistoryQuery
from council_common.web.keyset import Order, fetch_page
from council_common.web.lists import ResourceList
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.message_templates.rules import TemplatePurpose
from notification_service.message_templates.store import decided_versions
from notification_service.message_templates.tables import MessageTemplate, MessageTemplateVersion

_VERSION: Any = MessageTemplateVersion.__table__.c  # type: ignore[attr-defined]
_BY_NUMBER = Order("version", _VERSION.version, _VERSION.version)


class MessageTemplateList(
    ResourceList,
    of=MessageTemplate,
    sorts=("name", "created_at"),
    default="name",
    csv=(
        "id",
        "name",
        "purpose",
        "written_for",
        "newest",
        "in_use",
        "waiting",
        "created_at",
        "created_by",
        "created_by_name",
    ),
):
    """Every template in the version in use, or where none is approved in its newest."""

    name: TextFilter | None = None
    purpose: TemplatePurpose | None = None
    written_for: Sender | None = None
    waiting: Annotated[bool | None, Field(description="Whether the newest version waits for a second person.")] = None


class VersionQuery(HistoryQuery):
    """Which page of a template's versions."""

    async def page(self, session: AsyncSession, name: str) -> tuple[Sequence[Any], str | None]:
        """The versions, oldest first, and the cursor of the next page."""
        statement = decided_versions().where(_VERSION.name == name)
        return await fetch_page(session, statement, _BY_NUMBER, limit=self.limit, cursor=self.cursor)
