"""The composition root: the API and the jobs put together."""

from pathlib import Path

from council_common.events.handlers import Handlers
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.command import Service
from council_common.source_systems.routes import source_system_router
from fastapi import FastAPI

from supplier_service.bank_account_changes import routes as bank_account_changes
from supplier_service.bank_account_changes.jobs import JOBS
from supplier_service.market_sectors import routes as market_sectors
from supplier_service.onboardings import routes as onboardings
from supplier_service.settings import Settings
from supplier_service.suppliers import routes as suppliers

DESCRIPTION = (
    "Who the council pays: supplier records, their bank accounts (masked in every answer) and the cases that change "
    "them, market sectors, and the way on to the early payment programme."
)
ROUTERS = (
    market_sectors.router,
    suppliers.router,
    bank_account_changes.router,
    onboardings.router,
    source_system_router("supplier"),
)


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    return build_api("supplier-service", settings, routers=ROUTERS, description=DESCRIPTION)


SERVICE = Service(
    name="supplier-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=Handlers(),  # suppliers change by their own people and systems only
    jobs=JOBS,
)
