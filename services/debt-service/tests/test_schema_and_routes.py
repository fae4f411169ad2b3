"""What holds for the service as a whole: its tables, its routes, its examples."""

import doctest
import importlib
import pkgutil

import debt_service
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from council_common.database.tables import platform
from council_common.testing.harness import Harness
from debt_service.rows import Row
from fastapi.routing import APIRoute
from sqlalchemy import Connection

MODULES = [
    name for _, name, _ in pkgutil.walk_packages(debt_service.__path__, "debt_service.") if "__main__" not in name
]


async def test_the_migration_makes_what_the_tables_say(service: Harness) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        ours = set(Row.metadata.tables) | set(platform.tables)
        differences = []
        for metadata in (Row.metadata, platform):
            found = compare_metadata(context, metadata)
            differences += [
                difference
                for difference in found
                if not (difference[0] in _REMOVED and _table(difference) in ours | _ALEMBIC)
            ]
        return differences

    async with service.runtime.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


_ALEMBIC = {"alembic_version"}
# Each of the two metadata misses the other's tables.
_REMOVED = {"remove_table", "remove_index"}


def _table(difference: tuple) -> str:
    thing = difference[1]
    return thing.table.name if difference[0] == "remove_index" else thing.name


def _routes(service: Harness) -> list[APIRoute]:
    found: list[APIRoute] = []

    def collect(routes: list) -> None:
        for route in routes:
            if isinstance(route, APIRoute) and route.path.startswith("/v1/"):
                found.append(route)
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None and not isinstance(route, APIRoute):
                collect(inner.routes)

    collect(service.app.routes)
    return found


async def test_every_route_names_exactly_one_scope(service: Harness) -> None:
    def scopes(dependant) -> list[str]:
        own = list(getattr(dependant, "own_oauth_scopes", None) or [])
        return own + [scope for inner in dependant.dependencies for scope in scopes(inner)]

    routes = _routes(service)
    assert len(routes) > 30
    for route in routes:
        assert len(set(scopes(route.dependant))) == 1, route.path
        assert route.endpoint.__doc__, route.path


async def test_every_creating_post_takes_an_idempotency_key(service: Harness) -> None:
    document = service.app.openapi()
    for path, operations in document["paths"].items():
        if "post" in operations:
            names = [parameter["name"] for parameter in operations["post"].get("parameters", [])]
            assert "Idempotency-Key" in names, path


async def test_nobody_without_a_token_or_a_scope(service: Harness) -> None:
    assert (await service.client().get("/v1/receivables")).status_code == 401
    auditor = service.as_("auditor")
    assert (await auditor.get("/v1/receivables")).status_code == 200
    assert (await auditor.post("/v1/receivables", json={})).status_code == 403


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
