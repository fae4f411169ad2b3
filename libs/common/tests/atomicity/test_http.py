import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from council_common.errors import Conflict
from council_common.events.handlers import Handlers
from council_common.ids import new_id
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api, resource_router
from council_common.service.command import Service
from council_common.testing.harness import Harness, harness
from council_common.web.acts import Act, acting
from council_common.web.problems import MEDIA_TYPE
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text
from things_service import Things


class ThingIn(BaseModel):
    name: str
    fail: str | None = None


class ThingOut(BaseModel):
    id: UUID
    name: str


class TakenName(Conflict):
    code = "taken-name"


def make_service(things: Things) -> Service:
    def create_api(settings: ServiceSettings) -> FastAPI:
        return build_api("things-service", settings, routers=[make_router(things)], description="Things")

    return Service("things-service", Path(__file__).parent, ServiceSettings, create_api, Handlers())  # type: ignore[arg-type]


def make_router(things: Things) -> Any:
    router = resource_router("things")

    @router.post("", status_code=201)
    async def make_thing(body: ThingIn, act: Annotated[Act, acting("invoices:write")]) -> ThingOut:
        thing_id, session = new_id(), act.session
        await session.execute(text("INSERT INTO thing VALUES (:id, :name)"), {"id": thing_id, "name": body.name})
        await things.publish(session, 0, of=1)
        if body.fail:
            raise TakenName("No.")
        act.answers(f"{router.prefix}/{thing_id}", 1)
        return ThingOut(id=thing_id, name=body.name)

    return router


@pytest.fixture
async def service(things: Things) -> AsyncIterator[Harness]:
    async with harness(make_service(things), ServiceSettings, things.url, rolled_back=False) as running:
        yield running


async def _counts(things: Things) -> tuple[int, int, int]:
    return (
        await things.scalar("SELECT count(*) FROM thing"),
        await things.scalar("SELECT count(*) FROM outbox"),
        await things.scalar("SELECT count(*) FROM idempotency_key"),
    )


async def test_racing_posts_with_one_key_make_one_thing_and_one_event(service: Harness, things: Things) -> None:
    async with service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(erp.post("/v1/things", json={"name": "a"}, headers={"idempotency-key": "k1"}) for _ in range(20))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
    assert await _counts(things) == (1, 1, 1)


async def test_a_changed_body_under_the_same_key_is_refused(service: Harness) -> None:
    async with service.as_("erp") as erp:
        await erp.post("/v1/things", json={"name": "a"}, headers={"idempotency-key": "k1"})
        other = await erp.post("/v1/things", json={"name": "b"}, headers={"idempotency-key": "k1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_two_callers_may_choose_the_same_key(service: Harness, things: Things) -> None:
    for name in ("erp-1", "erp-2"):
        async with service.as_("erp", name) as erp:
            made = await erp.post("/v1/things", json={"name": name}, headers={"idempotency-key": "k1"})
            assert made.status_code == 201
    assert (await _counts(things))[0] == 2


async def test_a_refusal_keeps_neither_thing_nor_event_nor_key(service: Harness, things: Things) -> None:
    async with service.as_("erp") as erp:
        refused = await erp.post("/v1/things", json={"name": "a", "fail": "yes"}, headers={"idempotency-key": "k1"})
        assert (refused.status_code, refused.json()["code"]) == (409, "taken-name")
        assert await _counts(things) == (0, 0, 0)
        again = await erp.post("/v1/things", json={"name": "a"}, headers={"idempotency-key": "k1"})
    assert again.status_code == 201


async def test_a_commit_that_fails_is_not_answered_201(service: Harness, things: Things) -> None:
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/things", json={"name": "same"})).status_code == 201
        # The unique name is checked at commit, when the route has already made its answer.
        answer = await erp.post("/v1/things", json={"name": "same"}, headers={"idempotency-key": "k2"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "same" not in answer.text
    assert await _counts(things) == (1, 1, 0)


async def test_bad_tokens_and_missing_scopes(service: Harness) -> None:
    async with service.client() as stranger:
        answer = await stranger.post("/v1/things", json={"name": "a"})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="council-payments"')
    async with service.as_("auditor") as auditor:
        assert (await auditor.post("/v1/things", json={"name": "a"})).status_code == 403


async def test_malformed_bodies_name_their_fields_and_never_repeat_values(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/things", json={"name": {"secret": "12345678"}})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "name", "problem": "not text", "expected": "text"}]
        not_json = await erp.post("/v1/things", content=b"{", headers={"content-type": "application/json"})
        assert not_json.status_code == 422
        too_large = await erp.post("/v1/things", json={"name": "a" * 2_000_000})
        assert (too_large.status_code, too_large.json()["code"]) == (413, "body-too-large")


async def test_a_database_that_is_away_is_said_plainly(service: Harness) -> None:
    service.runtime.sessions.configure(bind=_engine_to_nowhere())
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/things", json={"name": "a"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"


def _engine_to_nowhere() -> Any:
    from council_common.database.sessions import make_engine

    return make_engine("postgresql://postgres@127.0.0.1:1/nowhere")


async def test_refusals_are_documented_as_they_are_sent(service: Harness) -> None:
    assert service.app.openapi() == service.app.openapi()
    for operations in service.app.openapi()["paths"].values():
        for operation in operations.values():
            refusals = {
                status: response["content"] for status, response in operation["responses"].items() if status >= "4"
            }
            assert {"401", "403", "404", "409", "422", "503"} <= set(refusals)
            for content in refusals.values():
                assert content == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    async with service.as_("auditor") as auditor:
        refused = await auditor.post("/v1/things", json={"name": "a"})
    documented = service.app.openapi()["components"]["schemas"]["ProblemOut"]["properties"]
    assert refused.headers["content-type"] == MEDIA_TYPE
    assert refused.json().keys() - {"required_scopes"} <= documented.keys()
