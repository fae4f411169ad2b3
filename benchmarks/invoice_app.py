"""invoice-service's own API with one more route that validates and stores nothing: `python -m benchmarks.invoice_app`.

Everything around the route is the same: server, middleware, token, scope, the model, the way of answering.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from council_common.identity.actor import Actor
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import resource_router
from council_common.service.command import service_command
from council_common.web.dependencies import requires
from fastapi import FastAPI, Response
from invoice_service.main import SERVICE
from invoice_service.register.invoices.schemas import InvoiceIn

router = resource_router("bench-echoes")


@router.post("", status_code=201)
async def echo(invoice: InvoiceIn, _: Annotated[Actor, requires("invoices:write")]) -> Response:
    """The invoice as it was understood."""
    return Response(invoice.model_dump_json(), status_code=201, media_type="application/json")


def create_api(settings: ServiceSettings) -> FastAPI:
    """The service's API and the route of nothing."""
    app = SERVICE.create_api(settings)
    app.include_router(router)
    return app


if __name__ == "__main__":
    service_command(replace(SERVICE, create_api=create_api), ["api"])
