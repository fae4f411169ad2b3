"""The API of a service, from its routers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from council_common.observability.logs import configure_logs
from council_common.observability.traces import configure_traces
from council_common.runtime.settings import ServiceSettings
from council_common.service.health import broker_answers, database_answers, health_routes
from council_common.web.idempotency import Replay, TransactionalRoute, answer_replay
from council_common.web.middleware import RequestContext
from council_common.web.problems import PROBLEM_RESPONSES, document_problems, install_problem_handlers

MIB = 1024 * 1024
BODY_LIMIT = MIB
BULK_BODY_LIMIT = 16 * MIB
UPLOAD_LIMIT = 256 * MIB


def resource_router(resource: str) -> APIRouter:
    """A router for one resource: `/v1/<resource>`, problem documents, answers stored with idempotency keys."""
    return APIRouter(
        prefix=f"/v1/{resource}",
        tags=[resource],
        route_class=TransactionalRoute,
        responses=PROBLEM_RESPONSES,
        # On the router, not the app: a route may raise it, and its 413 still passes our middleware.
        max_body_size=BODY_LIMIT,
    )


def summed_up(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document whose operations are summed up by the first sentence of their descriptions."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "description" in operation:
                operation["summary"] = re.split(r"(?<=[.;:])\s", operation["description"])[0].rstrip(".;:")
    return document


def build_api(name: str, settings: ServiceSettings, *, routers: Sequence[APIRouter], description: str) -> FastAPI:
    """An app with the platform's edges. Whoever serves it gives it its runtime: `app.state.runtime`."""
    configure_logs(name, format_=settings.log_format, level=settings.log_level)
    configure_traces(name, endpoint=settings.otel_exporter_otlp_endpoint)
    app = FastAPIOffline(  # the documents' pages need nothing from the internet
        title=name,
        version="1",
        description=description,
        redoc_url=None,
        # RequestContext makes the span and the measurement of a request: once is enough.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    written = app.openapi
    app.openapi = lambda: document_problems(summed_up(written()))  # type: ignore[method-assign]
    app.add_middleware(RequestContext)
    install_problem_handlers(app)
    app.add_exception_handler(Replay, answer_replay)
    for router in routers:
        app.include_router(router)
    app.include_router(
        health_routes(
            database=lambda: database_answers(app.state.runtime.engine),
            broker=lambda: broker_answers(settings.kafka_bootstrap_servers, settings.kafka_security),
        )
    )
    return app
