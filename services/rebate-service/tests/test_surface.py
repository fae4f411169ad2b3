"""The database is what the rows declare; every route names one scope."""

from __future__ import annotations

import doctest
from types import ModuleType
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from fastapi.routing import APIRoute
from rebate_service.main import ROUTERS
from rebate_service.programme_kpis import rules as programme_kpis
from rebate_service.rebates import linear
from rebate_service.rebates import rules as rebates
from rebate_service.rows import Row
from sqlalchemy import CheckConstraint, Connection, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint

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
        # Alembic does not compare these.
        constraints = await connection.execute(
            text("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid <> 0")
        )
    wanted = {
        str(constraint.name)
        for table in (*platform.sorted_tables, *Row.metadata.sorted_tables)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint)
    }
    assert set(constraints.scalars()) == wanted


@pytest.mark.parametrize("module", [linear, programme_kpis, rebates], ids=lambda module: module.__name__)
def test_the_examples_in_the_rules_hold(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert (tried.failed, tried.attempted > 0) == (0, True)


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
