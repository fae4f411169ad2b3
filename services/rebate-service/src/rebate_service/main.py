"""The composition root: the API, the handlers and the jobs put together."""

from pathlib import Path

from council_common.service.api import build_api
from council_common.service.command import Service
from council_common.service.settings import ServiceSettings
from fastapi import FastAPI

from rebate_service.handlers import handlers
from rebate_service.jobs import JOBS
from rebate_service.settings import Settings

DESCRIPTION = "rebate-service"


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    return build_api("rebate-service", settings, routers=(), description=DESCRIPTION)


SERVICE = Service(
    name="rebate-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=handlers,
    jobs=JOBS,
)
