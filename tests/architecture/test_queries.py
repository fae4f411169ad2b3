"""No route of any service ignores a parameter that it does not know, and each says what it takes (docs/api.md)."""

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


@pytest.mark.parametrize("name", SERVICES)
async def test_what_the_framework_refuses_is_said_in_sentences_and_an_address_names_all_its_methods(name: str) -> None:
    main = importlib.import_module(f"{name}_service.main")
    settings = importlib.import_module(f"{name}_service.settings").Settings
    async with harness(main.SERVICE, settings, "postgresql://127.0.0.1:1/none", rolled_back=False) as service:
        paths = service.app.openapi()["paths"]
        token = service.issuer.token("everything", resource_access={"council-payments": {"roles": list(ROLES)}})
        async with service.client({"authorization": f"Bearer {token}"}) as client:
            answers = {path: await ask(client, "PUT", path) for path in paths}
            nowhere = await client.get("/v1/nowhere")
            path = next(path for path, methods in paths.items() if "post" in methods and "{" not in path)
            latin = await client.post(
                path, content=b'{"name": "Caf\xe9"}', headers={"content-type": "application/json"}
            )
    for path, methods in paths.items():
        expected = sorted(method.upper() for method in methods)
        assert (answers[path].status_code, answers[path].headers["allow"]) == (405, ", ".join(expected)), path
        sentence = f"This address does not take PUT; it takes {' and '.join(expected)}."
        assert answers[path].json()["detail"] == sentence
    assert (nowhere.json()["code"], nowhere.json()["detail"]) == (
        "no-such-resource",
        "There is nothing at this address.",
    )
    assert (latin.status_code, latin.json()["code"], latin.json()["detail"]) == (
        400,
        "unreadable-body",
        "The body cannot be read: send JSON in UTF-8.",
    )


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """A request of no meaning but for its parameter."""
    some_id = str(uuid4())
    address = "/".join(some_id if part.startswith("{") else part for part in path.split("/"))
    return await client.request(method, address, params={"not_a_parameter": "1"}, json={})


def refused_fields(answer: httpx.Response) -> set[str]:
    """The fields a 422 names."""
    return {error["field"] for error in answer.json()["errors"]} if answer.status_code == 422 else set()
