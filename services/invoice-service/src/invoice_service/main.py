"""The composition root: the API, the handlers and the jobs put together."""

from pathlib import Path

from council_common.events.handlers import Handlers
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api
from council_common.service.command import Service
from council_common.source_systems.routes import source_system_router
from fastapi import FastAPI

from invoice_service.intake.import_readings.routes import router as import_readings
from invoice_service.intake.invoice_imports.jobs import JOBS
from invoice_service.intake.invoice_imports.routes import router as invoice_imports
from invoice_service.paying.payment_exceptions.handlers import handlers as exception_handlers
from invoice_service.paying.payment_exceptions.routes import router as payment_exceptions
from invoice_service.paying.payments.routes import router as payments
from invoice_service.register.approval_limits.routes import router as approval_limits
from invoice_service.register.credit_note_applications.routes import router as credit_note_applications
from invoice_service.register.invoices.handlers import handlers
from invoice_service.register.invoices.routes import router as invoices
from invoice_service.settings import Settings

DESCRIPTION = "Supplier invoices from receipt to payment: one at a time or a file of a million lines."


def create_api(settings: ServiceSettings) -> FastAPI:
    """The API from its rooms' routers."""
    source_systems = source_system_router("invoice")
    routers = (
        approval_limits,
        invoices,
        credit_note_applications,
        payments,
        payment_exceptions,
        invoice_imports,
        import_readings,
        source_systems,
    )
    return build_api("invoice-service", settings, routers=routers, description=DESCRIPTION)


SERVICE = Service(
    name="invoice-service",
    folder=Path(__file__).parents[2],
    settings=Settings,
    create_api=create_api,
    handlers=Handlers.including(handlers, exception_handlers),
    jobs=JOBS,
)
