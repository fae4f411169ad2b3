"""The composition root: the API, the handlers and the jobs put together."""

from pathlib import Path

from council_common.events.handlers import Handlers
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.command import Service
from fastapi import FastAPI

from rebate_service.agreements import handlers as agreement_handlers
from rebate_service.agreements import routes as agreements
from rebate_service.programme_kpis import handlers as kpi_handlers
from rebate_service.programme_kpis import routes as programme_kpis
from rebate_service.rebate_quotes import routes as rebate_quotes
from rebate_service.rebate_variances import handlers as variance_handlers
from rebate_service.rebate_variances import routes as rebate_variances
from rebate_service.rebate_variances.jobs import JOBS as VARIANCE_JOBS
from rebate_service.rebates import handlers as rebate_handlers
from rebate_service.rebates import routes as rebates
from rebate_service.rebates.jobs import JOBS as REBATE_JOBS
from rebate_service.settings import Settings

DESCRIPTION = "Early-payment agreements, rebates expected and earned, variances, the programme's figures."

ROUTERS = (
    agreements.router,
    rebates.router,
    rebate_quotes.router,
    rebate_variances.router,
    programme_kpis.router,
)

HANDLERS = Handlers.including(
    agreement_handlers.handlers, rebate_handlers.handlers, variance_handlers.handlers, kpi_handlers.handlers
)


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    return build_api("rebate-service", settings, routers=ROUTERS, description=DESCRIPTION)


SERVICE = Service(
    name="rebate-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=HANDLERS,
    jobs=(*VARIANCE_JOBS, *REBATE_JOBS),
)
