"""Is it alive, is it ready: what the supervisor, the gateway and Kubernetes ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from council_common.database.transient_faults import DRIVER_FAULTS
from council_common.events.security import IN_CLEAR, KafkaSecurity

CHECK_SECONDS = 2.0


async def database_answers(engine: AsyncEngine) -> bool:
    """Whether the database answers within two seconds."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, *DRIVER_FAULTS):
        return False
    return True


async def broker_answers(bootstrap_servers: str, security: KafkaSecurity = IN_CLEAR) -> bool:
    """Whether a broker answers within two seconds."""
    client = AIOKafkaClient(
        bootstrap_servers=bootstrap_servers, request_timeout_ms=int(CHECK_SECONDS * 1000), **security.options
    )
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await client.bootstrap()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


Check = Callable[[], Awaitable[bool]]


def health_routes(*, database: Check, broker: Check) -> APIRouter:
    """What others ask about this process, and `/metrics`; outside the API's document.

    - `/health/live`: the process answers.
    - `/health/serving`: it can take requests, which needs the database only: while the broker is away, commands go
      on and their events wait in the outbox. Whatever routes traffic asks this (docs/decisions/0006-serving.md).
    - `/health/ready`: database and broker, one line each; for people, supervisors and workers.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/serving")
    async def serving() -> JSONResponse:
        return _health({"database": await database()})

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        of_database, of_broker = await asyncio.gather(database(), broker())
        return _health({"database": of_database, "broker": of_broker})

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _health(answers: dict[str, bool]) -> JSONResponse:
    parts = {name: "ready" if answer else "away" for name, answer in answers.items()}
    return JSONResponse(parts, status_code=200 if all(answers.values()) else 503)
