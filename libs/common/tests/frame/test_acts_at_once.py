"""An act in two statements: whatever comes between them, what is answered is what is stored."""

import asyncio
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from council_common.database.sessions import connections_in_use, driver_url
from council_common.database.tables import change, idempotency_key
from council_common.runtime.settings import ServiceSettings
from council_common.testing.harness import Harness, harness
from frame_parcels import Parcel, Parcels, ParcelSentV1
from losing_answers import LosesAnswers
from parcels_api import SERVICE, between
from sqlalchemy import select

KEY = {"idempotency-key": "k1"}


@pytest.fixture(autouse=True)
def nothing_between() -> None:
    between.once = None


@pytest.fixture
async def parcel(service: Harness) -> str:
    [parcel_id] = await Parcels(service.runtime.sessions).pack()
    return f"/v1/parcels/{parcel_id}"


def _id(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])


async def stored(service: Harness, path: str) -> Any:
    """The row, after checking that its history and its events agree with it: versions from 2 on, none left out."""
    async with service.runtime.sessions() as session:
        row = await session.get_one(Parcel, _id(path))
        lines = (await session.execute(select(change).order_by(change.c.version))).all()
    events = await service.published(ParcelSentV1)
    assert [line.version for line in lines] == list(range(2, row.version + 1))
    assert [event.version for event in events] == [line.version for line in lines if line.action == "sent"]
    return row


async def keys(service: Harness) -> list[tuple[str, int | None]]:
    async with service.runtime.sessions() as session:
        found = await session.execute(select(idempotency_key.c.key, idempotency_key.c.status))
    return sorted((key, status) for key, status in found)


def must_say_what_is_stored(answer: httpx.Response, row: Any) -> None:
    said = {name: answer.json()[name] for name in ("id", "version", "name", "weight_pence", "status")}
    assert said == {"id": str(row.id)} | {name: getattr(row, name) for name in said if name != "id"}
    assert answer.headers["etag"] == f'"{row.version}"'


async def _terminate_all(url: str) -> None:
    connection = await asyncpg.connect(driver_url(url))
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_an_act_is_one_row_one_line_one_event_and_one_key(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    sent = await erp.post(f"{parcel}/sendings", headers=KEY)
    again = await erp.post(f"{parcel}/sendings", headers=KEY)
    row = await stored(service, parcel)
    must_say_what_is_stored(sent, row)
    assert (row.version, await keys(service)) == (2, [("k1", 201)])
    assert (again.status_code, again.content, again.headers["etag"]) == (201, sent.content, sent.headers["etag"])
    assert "idempotency-replayed" in again.headers


@pytest.mark.parametrize("others", [["k1"] * 9, [None] * 9, [f"k{number}" for number in range(2, 11)]])
async def test_racing_repeats_act_once(
    service: Harness, erp: httpx.AsyncClient, parcel: str, others: list[str | None]
) -> None:
    headers = [{"idempotency-key": key} if key else {} for key in ["k1", *others]]
    answers = await asyncio.gather(*(erp.post(f"{parcel}/sendings", headers=each) for each in headers))
    row = await stored(service, parcel)
    assert row.version == 2
    done = [answer for answer in answers if answer.status_code == 201]
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 201]
    for answer in done:
        must_say_what_is_stored(answer, row)
    assert (len(done), set(refused)) == ((10, set()) if others[0] == "k1" else (1, {"illegal-move"}))
    assert len(await keys(service)) == (done[0].request.headers.get("idempotency-key") is not None)


async def test_racing_acts_of_one_key_and_different_bodies_do_one_of_them(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    answers = await asyncio.gather(
        *(
            erp.post(f"{parcel}/changes", json={"name": f"n{number}"}, headers=KEY | {"if-match": "*"})
            for number in range(8)
        )
    )
    [done] = [answer for answer in answers if answer.status_code == 201]
    must_say_what_is_stored(done, await stored(service, parcel))
    assert {answer.json()["code"] for answer in answers if answer is not done} == {"idempotency-key-reused"}


async def test_different_acts_on_one_row_each_have_a_version(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    names = [f"n{number}" for number in range(7)]
    answers = await asyncio.gather(
        erp.post(f"{parcel}/sendings"),
        *(erp.post(f"{parcel}/changes", json={"name": name}, headers={"if-match": "*"}) for name in names),
    )
    assert {answer.status_code for answer in answers} == {201}
    row = await stored(service, parcel)
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
    [last] = [answer for answer in answers if answer.json()["version"] == row.version]
    must_say_what_is_stored(last, row)


async def test_of_racing_changes_that_name_one_version_one_is_made(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    answers = await asyncio.gather(
        *(
            erp.post(f"{parcel}/changes", json={"name": f"n{number}"}, headers={"if-match": '"1"'})
            for number in range(8)
        )
    )
    [done] = [answer for answer in answers if answer.status_code == 201]
    must_say_what_is_stored(done, await stored(service, parcel))
    assert {answer.json()["code"] for answer in answers if answer is not done} == {"stale-version"}


async def test_a_change_that_comes_between_is_seen(service: Harness, erp: httpx.AsyncClient, parcel: str) -> None:
    async def other_is_quicker() -> None:
        answer = await erp.post(f"{parcel}/changes", json={"name": "quick"}, headers={"if-match": '"1"'})
        assert answer.status_code == 201

    between.once = other_is_quicker
    slow = await erp.post(f"{parcel}/changes", json={"name": "slow"}, headers=KEY | {"if-match": '"1"'})
    assert (slow.status_code, slow.json()["code"]) == (412, "stale-version")
    row = await stored(service, parcel)
    assert (row.name, row.version, await keys(service)) == ("quick", 2, [])


@pytest.mark.parametrize(
    ("body", "refusal"),
    [({"name": "taken"}, (409, "name-taken")), ({"name": "n", "weight_pence": -1}, (500, "unexpected"))],
)
async def test_a_refusal_by_a_rule_or_by_the_database_leaves_nothing(
    service: Harness, erp: httpx.AsyncClient, parcel: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    headers = KEY | {"if-match": "*"}
    refused = await erp.post(f"{parcel}/changes", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == refusal
    row = await stored(service, parcel)
    assert (row.version, row.name, row.weight_pence, await keys(service)) == (1, "parcel 0", 0, [])
    assert (await erp.post(f"{parcel}/changes", json={"name": "right"}, headers=headers)).status_code == 201


async def test_a_key_of_an_act_that_found_nothing_to_do_is_kept_as_well(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    first = await erp.post(f"{parcel}/looks", json={"name": "a"}, headers=KEY)
    await erp.post(f"{parcel}/changes", json={"name": "changed"}, headers={"if-match": "*"})
    again = await erp.post(f"{parcel}/looks", json={"name": "a"}, headers=KEY)
    other = await erp.post(f"{parcel}/looks", json={"name": "b"}, headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert await keys(service) == [("k1", 201)]


async def test_a_caller_without_the_scope_is_given_no_stored_answer(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    async with service.as_("erp", "somebody") as before:
        assert (await before.post(f"{parcel}/sendings", headers=KEY)).status_code == 201
    async with service.as_("auditor", "somebody") as now:
        assert (await now.post(f"{parcel}/sendings", headers=KEY)).status_code == 403


async def test_what_was_assigned_and_not_recorded_is_refused(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    answer = await erp.post(f"{parcel}/mistakes", headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert ((await stored(service, parcel)).version, await keys(service)) == (1, [])


async def test_connections_killed_between_the_statements(
    service: Harness, erp: httpx.AsyncClient, parcel: str, database: str
) -> None:
    between.once = lambda: _terminate_all(database)
    sent = await erp.post(f"{parcel}/sendings", headers=KEY)
    if sent.status_code != 201:
        assert (sent.status_code, (await stored(service, parcel)).version, await keys(service)) == (503, 1, [])
        sent = await erp.post(f"{parcel}/sendings", headers=KEY)
    must_say_what_is_stored(sent, await stored(service, parcel))


async def test_after_a_restart_of_the_database_few_acts_are_refused(
    service: Harness, erp: httpx.AsyncClient, database: str
) -> None:
    ids = await Parcels(service.runtime.sessions).pack(5)
    await asyncio.gather(*(erp.post(f"/v1/parcels/{each}/looks", json={"name": "a"}) for each in ids))
    await _terminate_all(database)
    await asyncio.sleep(0.1)  # each connection has seen its end
    statuses = [(await erp.post(f"/v1/parcels/{each}/sendings")).status_code for each in ids]
    assert statuses.count(503) <= 1 and set(statuses) <= {201, 503}


@pytest.mark.parametrize("headers", [KEY, {}])
async def test_the_answer_of_a_write_that_was_carried_out_is_lost(database: str, headers: dict[str, str]) -> None:
    """The connection breaks after the commit and before its answer came."""
    async with LosesAnswers(urlsplit(database).port or 0) as way:
        url = database.replace(f":{urlsplit(database).port}/", f":{way.port}/")
        async with harness(SERVICE, ServiceSettings, url, rolled_back=False) as service, service.as_("erp") as erp:
            [parcel_id] = await Parcels(service.runtime.sessions).pack()
            path = f"/v1/parcels/{parcel_id}"

            async def lose_the_next() -> None:
                way.loses_next = True

            between.once = lose_the_next
            sent = await erp.post(f"{path}/sendings", headers=headers)
            row = await stored(service, path)
            assert (row.version, way.lost) == (2, 1)
            if headers:
                must_say_what_is_stored(sent, row)
            else:
                assert (sent.status_code, sent.json()["code"]) == (409, "illegal-move")


async def test_a_request_that_is_cancelled_between_its_statements_did_nothing(
    service: Harness, erp: httpx.AsyncClient, parcel: str
) -> None:
    reached = asyncio.Event()

    async def wait_for_ever() -> None:
        reached.set()
        await asyncio.Event().wait()

    between.once = wait_for_ever
    acting = asyncio.create_task(erp.post(f"{parcel}/sendings", headers=KEY))
    await asyncio.wait_for(reached.wait(), 10)
    await _cancelled(acting)
    assert ((await stored(service, parcel)).version, await keys(service)) == (1, [])
    must_say_what_is_stored(await erp.post(f"{parcel}/sendings", headers=KEY), await stored(service, parcel))


async def test_a_request_that_is_cancelled_in_its_write_did_all_or_nothing(
    service: Harness, erp: httpx.AsyncClient, parcel: str, database: str
) -> None:
    other = await asyncpg.connect(driver_url(database))
    transaction, locked = other.transaction(), asyncio.Event()

    async def let_the_write_wait() -> None:
        await transaction.start()
        await other.execute("LOCK TABLE change IN EXCLUSIVE MODE")
        locked.set()

    between.once = let_the_write_wait
    acting = asyncio.create_task(erp.post(f"{parcel}/sendings", headers=KEY))
    async with asyncio.timeout(10):
        await locked.wait()
        while not await _somebody_waits(other):
            await asyncio.sleep(0.01)
    await _cancelled(acting)
    await transaction.rollback()
    await other.close()
    sent = await erp.post(f"{parcel}/sendings", headers=KEY)
    row = await stored(service, parcel)
    must_say_what_is_stored(sent, row)
    assert (row.version, await keys(service)) == (2, [("k1", 201)])
    assert connections_in_use(service.runtime.engine) == 0


async def _cancelled(acting: asyncio.Task[httpx.Response]) -> None:
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting


async def _somebody_waits(connection: Any) -> bool:
    found = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(found)
