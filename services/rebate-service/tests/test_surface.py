"""The database is what the rows say; every route names one scope; every event we tell can be read."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from fastapi.routing import APIRoute
from rebate_service.main import ROUTERS
from rebate_service.rows import Row
from sqlalchemy import Connection

SCOPES = {"rebates:read", "rebates:write"}


async def test_migration_and_rows_agree(service: Harness) -> None:
    def differences(connection: Connection) -> list[Any]:
        found = [
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
            for metadata in ([platform, Row.metadata],)
        ]
        return found[0]

    async with service.runtime.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_every_route_names_one_scope() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) == 18
    for route in routes:
        scopes = [scope for needed in route.dependant.dependencies for scope in needed.own_oauth_scopes or ()]
        assert len(scopes) == 1, route.path
        assert scopes[0] in SCOPES
        assert scopes[0] == "rebates:read" or route.methods == {"POST"}
        assert route.endpoint.__doc__


async def test_without_a_token_nothing_is_answered(service: Harness) -> None:
    async with service.client() as client:
        for path in ("/v1/agreements", "/v1/rebates", "/v1/rebates/export.csv", "/v1/rebate-variances"):
            assert (await client.get(path)).status_code == 401
