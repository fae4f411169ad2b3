"""No route of any service ignores a parameter that it does not know (docs/api.md)."""

import importlib
from uuid import uuid4

import httpx
import pytest
from council_common.identity.roles import ROLES
from council_common.testing.harness import harness

SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_refuses_an_unknown_parameter(name: str) -> None:
    main = importlib.import_module(f"{name}_service.main")
    settings = importlib.import_module(f"{name}_service.settings").Settings
    async with harness(main.SERVICE, settings, "postgresql://127.0.0.1:1/none", rolled_back=False) as service:
        operations = [
            (method, path)
            for path, methods in service.app.openapi()["paths"].items()
            if path.startswith("/v1/")
            for method in methods
        ]
        token = service.issuer.token("everything", resource_access={"council-payments": {"roles": list(ROLES)}})
        async with service.client({"authorization": f"Bearer {token}"}) as client:
            accepted = [
                f"{method} {path}"
                for method, path in operations
                if "not_a_parameter" not in refused_fields(await ask(client, method, path))
            ]
    assert operations
    assert accepted == []


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request of no meaning but for its parameter."""
    some_id = str(uuid4())
    address = "/".join(some_id if part.startswith("{") else part for part in path.split("/"))
    return await client.request(method, address, params={"not_a_parameter": "1"}, json={})


def refused_fields(answer: httpx.Response) -> set[str]:
    """The fields a 422 names."""
    return {error["field"] for error in answer.json()["errors"]} if answer.status_code == 422 else set()
