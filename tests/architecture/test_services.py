"""What every service must be, read from the code itself."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from council_common.events.access import READS, WRITES
from council_common.identity.roles import ROLES
from council_common.observability.logs import FORBIDDEN_FIELDS
from council_common.published_language.events import published_events
from council_common.runtime.settings import ServiceSettings
from council_common.web.dependencies import scopes_of
from council_gateway.table import owner_of
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

ROOT = Path(__file__).parents[2]
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")
SOURCES = sorted(
    path
    for folder in ("libs", "services", "deploy/local", "deploy/gateway")
    for path in (ROOT / folder).rglob("src/**/*.py")
)


def app_of(name: str) -> FastAPI:
    service = importlib.import_module(f"{name}_service.main").SERVICE
    settings: type[ServiceSettings] = importlib.import_module(f"{name}_service.settings").Settings
    app: FastAPI = service.create_api(
        settings(
            _env_file=None,
            database_url="postgresql://nowhere",
            kafka_bootstrap_servers="nowhere:1",
            oidc_issuer="https://issuer",
            log_level="ERROR",
        )
    )
    return app


def resources(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    """Every route of an API that belongs to its published surface."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and context.path is not None and context.path.startswith("/v1/"):
            yield context.path, route


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_names_one_scope_that_some_role_gives(name: str) -> None:
    given = frozenset().union(*ROLES.values())
    routes = list(resources(app_of(name)))
    assert routes, f"{name}-service has no routes"
    for path, route in routes:
        scopes = scopes_of(route.dependant)
        assert len(scopes) == 1, f"{sorted(route.methods)} {path} names {sorted(scopes)}"
        assert scopes <= given, f"no role gives {scopes} of {path}"


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_is_reached_through_the_gateway(name: str) -> None:
    for path, _ in resources(app_of(name)):
        assert owner_of(path) == name, f"{path} of {name}-service is routed to {owner_of(path)}"


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_says_what_it_does(name: str) -> None:
    for path, route in resources(app_of(name)):
        assert route.description, f"{sorted(route.methods)} {path} has no docstring"


@pytest.mark.parametrize("name", SERVICES)
def test_every_creating_post_of_things_is_idempotent(name: str) -> None:
    for path, methods in app_of(name).openapi()["paths"].items():
        post = methods.get("post", {})
        if "201" in post.get("responses", {}):
            headers = {each["name"] for each in post.get("parameters", ()) if each["in"] == "header"}
            assert "Idempotency-Key" in headers, f"POST {path} takes no Idempotency-Key"


@pytest.mark.parametrize("name", SERVICES)
def test_every_subscription_is_to_a_published_event(name: str) -> None:
    handlers = importlib.import_module(f"{name}_service.main").SERVICE.handlers
    assert set(handlers.types) <= set(published_events())


def test_nobody_logs_a_forbidden_field() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} logs {keyword.arg}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        for keyword in node.keywords
        if keyword.arg in FORBIDDEN_FIELDS
    ]
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400, "a file this long is two ideas"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, f"{node.name} is too long"


def test_names_say_something() -> None:
    assert not [path for path in SOURCES if path.stem in {"utils", "helpers", "manager", "misc", "base"}]


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_edges_read_the_clock(name: str) -> None:
    for path in (ROOT / f"services/{name}-service/src").rglob("*.py"):
        text = path.read_text()
        for call in ("datetime.now(", "date.today(", "utc_now(", "time.time("):
            assert call not in text, f"{path.relative_to(ROOT)} reads the clock"


def test_the_broker_s_access_lists_are_what_the_services_do() -> None:
    """Each writes the topic its events are declared for, and reads what its handlers subscribe to."""
    producers = {(event.producer, event.topic) for event in published_events().values()}
    assert producers == set(WRITES.items())
    for name in SERVICES:
        service = importlib.import_module(f"{name}_service.main").SERVICE
        assert set(READS[f"{name}-service"]) == set(service.handlers.topics), name
