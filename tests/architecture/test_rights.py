"""Who is let in at each route of each service, and that nothing is answered before that is decided."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from council_common.database.tables import idempotency_key
from council_common.identity.roles import ROLES
from council_common.testing.harness import Harness
from council_common.web.dependencies import scopes_of
from council_common.web.idempotency import TransactionalRoute
from fastapi.routing import APIRoute, iter_route_contexts

ROLES_PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")


def routes_of(office: Harness) -> Iterator[tuple[str, str, str]]:
    """Method, path with an id for each of its names, and scope of every route; each authorises by the mechanism."""
    for context in iter_route_contexts(office.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and (path := context.path or "").startswith("/v1/"):
            filled = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
            [scope] = scopes_of(route.dependant)
            assert isinstance(route, TransactionalRoute), path
            for method in sorted(route.methods or ()):
                yield method, filled, scope


@pytest.mark.parametrize("name", SERVICES)
async def test_a_stored_answer_is_only_for_those_who_might_ask(name: str, office: Harness) -> None:
    """The same person in other roles, or with a narrowed token, does not read what she was answered before."""
    posts = [(path, scope) for method, path, scope in routes_of(office) if method == "POST"]
    answered = {route: await _stored(office, *route) for route in posts}
    for (path, scope), (with_it, narrowed, without_it) in answered.items():
        assert without_it == narrowed == (403, "forbidden", False), f"POST {path} ({scope})"
        assert not with_it[2] or with_it[:2] == (201, "stored")
    assert not posts or any(with_it[2] for with_it, _, _ in answered.values())


async def _stored(office: Harness, path: str, scope: str) -> list[tuple[int, str, bool]]:
    """What who has the scope, who has it not by her token, and who has it not by her roles, is answered to one key."""
    key, name = str(uuid4()), "a.jones"
    holder = next(role for role in ROLES if scope in ROLES[role])
    subject = (await office.runtime.verifier.verify(office.issuer.token(holder, name))).subject
    asked = sha256(f"POST {path}?\n".encode() + b"{}").digest()
    stored = {"status": 201, "headers": {"location": path, "etag": '"1"'}, "body": b'{"code": "stored"}'}
    async with office.runtime.sessions.begin() as session:
        await session.execute(idempotency_key.insert().values(caller=subject, key=key, request_hash=asked, **stored))
    others = office.issuer.token(holder, name, scope="nothing:read"), office.issuer.token("no-role", name)
    answers = []
    for token in (office.issuer.token(holder, name), *others):
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "content-type": "application/json"}
        async with office.client(headers) as client:
            answer = await client.post(path, content=b"{}")
        replayed = answer.headers.get("idempotency-replayed") == "true"
        body: Any = answer.json() if answer.content else {}
        answers.append((answer.status_code, body.get("code", ""), replayed))
    return answers


def documented() -> dict[str, frozenset[str]]:
    """The scopes of each role as docs/roles.md has them."""
    lines = [line for line in ROLES_PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]
    names = cells[0][1:]
    return {name: frozenset(row[0] for row in cells[1:] if row[number] == "●") for number, name in enumerate(names, 1)}


def test_the_page_on_roles_is_the_table_of_the_code() -> None:
    assert documented() == ROLES


@pytest.mark.parametrize("name", SERVICES)
async def test_each_route_lets_in_the_roles_of_the_page_and_no_other(name: str, office: Harness) -> None:
    wrong = []
    for role, scopes in documented().items():
        async with office.as_(role) as caller:
            for method, path, scope in routes_of(office):
                answer = await caller.request(method, path)
                refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
                if refused == (scope in scopes) or answer.status_code == 401:
                    wrong.append(f"{method} {path} ({scope}) as {role}: {answer.status_code}")
    assert wrong == []
