"""The composition root: the API, the handlers and the jobs put together."""

from pathlib import Path

from council_common.events.handlers import Handlers
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.command import Service
from fastapi import FastAPI

from notification_service.channels import jobs as channels
from notification_service.failed_addresses.routes import router as failed_addresses
from notification_service.message_templates.routes import router as message_templates
from notification_service.messages import handlers as messages_handlers
from notification_service.messages.routes import router as messages
from notification_service.remittances import handlers as remittances_handlers
from notification_service.remittances import jobs as remittances
from notification_service.settings import Settings

DESCRIPTION = "Every message to a supplier or customer, and the log that proves it."


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    return build_api(
        "notification-service",
        settings,
        routers=(message_templates, messages, failed_addresses),
        description=DESCRIPTION,
    )


SERVICE = Service(
    name="notification-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=Handlers.including(messages_handlers.handlers, remittances_handlers.handlers),
    jobs=(*channels.JOBS, *remittances.JOBS),
)
