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

CHECK_SECONDS = 2.0


async def database_answers(engine: AsyncEngine) -> bool:
    """Whether the database answers within two seconds."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


async def broker_answers(bootstrap_servers: str) -> bool:
    """Whether a broker answers within two seconds."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=int(CHECK_SECONDS * 1000))
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await client.bootstrap()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


def health_routes(checks: dict[str, Callable[[], Awaitable[bool]]]) -> APIRouter:
    """`/health/live`, `/health/ready` with one check a part, and `/metrics`; outside the API's document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        names = list(checks)
        answers = await asyncio.gather(*(checks[name]() for name in names))
        parts = dict(zip(names, ("ready" if answer else "away" for answer in answers), strict=True))
        return JSONResponse(parts, status_code=200 if all(answers) else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
