"""What the list of message templates is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from council_common.fields import TextFilter
from council_common.web.lists import ResourceList

from notification_service.message_templates.tables import MessageTemplate


class MessageTemplateList(
    ResourceList,
    of=MessageTemplate,
    sorts=("name", "created_at"),
    default="name",
    csv=("id", "name", "version", "created_at", "created_by"),
):
    """Every template in its newest version."""

    name: TextFilter | None = None
