"""The composition root: the API, the handlers and the jobs put together."""

from pathlib import Path

from council_common.events.handlers import Handlers
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.command import Service
from council_common.source_systems.routes import source_system_router
from fastapi import FastAPI

from debt_service.arrangements.holds.jobs import JOBS as HOLD_JOBS
from debt_service.arrangements.holds.routes import router as holds
from debt_service.cash.receipts.correction_routes import router as corrections
from debt_service.cash.receipts.routes import router as receipts
from debt_service.ledger.control_accounts.routes import router as control_accounts
from debt_service.ledger.customers.routes import router as customers
from debt_service.ledger.journal.routes import router as journal
from debt_service.ledger.receivables.handlers import handlers as receivable_handlers
from debt_service.ledger.receivables.jobs import JOBS as RECEIVABLE_JOBS
from debt_service.ledger.receivables.routes import router as receivables
from debt_service.recovery.dunning_procedures.routes import router as dunning_procedures
from debt_service.recovery.dunning_runs.handlers import handlers as dunning_handlers
from debt_service.recovery.dunning_runs.jobs import JOBS as DUNNING_JOBS
from debt_service.recovery.dunning_runs.notice_routes import next_notice_router as next_notices
from debt_service.recovery.dunning_runs.notice_routes import router as dunning_notices
from debt_service.recovery.dunning_runs.routes import router as dunning_runs
from debt_service.reporting.aged_debt.routes import router as aged_debt
from debt_service.settings import Settings

DESCRIPTION = (
    "Money owed to the council: customers, receivables, receipts on a double-entry journal, holds, and dunning runs "
    "that are proposed, reviewed, approved by a second officer and issued."
)
ROUTERS = (
    customers,
    receivables,
    corrections,
    next_notices,
    receipts,
    holds,
    dunning_procedures,
    dunning_runs,
    dunning_notices,
    journal,
    control_accounts,
    aged_debt,
    source_system_router("debt"),
)


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    return build_api("debt-service", settings, routers=ROUTERS, description=DESCRIPTION)


SERVICE = Service(
    name="debt-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=Handlers.including(receivable_handlers, dunning_handlers),
    jobs=(*RECEIVABLE_JOBS, *HOLD_JOBS, *DUNNING_JOBS),
)
