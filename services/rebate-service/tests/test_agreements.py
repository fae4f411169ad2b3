"""Agreements by HTTP and by events; one version a day, in the database itself."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from council_common.contracts.rebates import AgreementActivatedV1, AgreementEndedV1
from council_common.errors import Malformed
from council_common.ids import new_id
from council_common.testing.harness import Harness
from rebate_service.agreements.tables import Agreement, AgreementVersion
from sqlalchemy.exc import IntegrityError

COORDINATOR = "early_payment_coordinator"


TERMS = {
    "reference_rate_percent": "1.00",
    "target_day": 10,
    "term_days": 30,
    "clock_start": "received",
    "clock_end": "run_date",
    "rebate_base": "net",
    "vat_mode": "reduce_net_and_vat",
    "collection": "deduct_at_source",
}


def an_agreement(**changed: Any) -> dict[str, Any]:
    return {"supplier_id": str(new_id()), "effective_from": "2026-01-01"} | TERMS | changed


def dates_of(versions: list[dict[str, Any]]) -> list[tuple[int, str, str | None]]:
    return [(version["agreement_version"], version["effective_from"], version["effective_to"]) for version in versions]


async def test_agree_version_and_end(service: Harness) -> None:
    async with service.as_(COORDINATOR) as client:
        made = await client.post("/v1/agreements", json=an_agreement())
        assert made.status_code == 201, made.text
        agreement = made.json()
        assert (agreement["agreement_version"], agreement["status"], agreement["term_days"]) == (1, "active", 30)
        assert (agreement["target_day"], agreement["reference_rate_percent"]) == (10, "1.00")
        url = made.headers["location"]

        later = TERMS | {
            "effective_from": "2026-04-01",
            "reference_rate_percent": "1.25",
            "clock_end": "funds_arrival",
        }
        assert (await client.post(f"{url}/versions", json=later)).status_code == 428
        stale = await client.post(f"{url}/versions", json=later, headers={"if-match": '"7"'})
        assert stale.status_code == 412
        added = await client.post(f"{url}/versions", json=later, headers={"if-match": made.headers["etag"]})
        assert added.status_code == 201, added.text
        assert (added.json()["agreement_version"], added.json()["status"]) == (2, "planned")

        versions = (await client.get(f"{url}/versions")).json()["items"]
        assert dates_of(versions) == [(1, "2026-01-01", "2026-03-31"), (2, "2026-04-01", None)]
        shown = await client.get(url)
        assert (shown.json()["agreement_version"], shown.headers["etag"]) == (1, added.headers["etag"])
        assert (shown.json()["version"], shown.headers["etag"]) == (2, '"2"')

        match = {"if-match": added.headers["etag"]}
        ended = await client.post(f"{url}/endings", json={"effective_to": "2026-04-30", "note": "Left."}, headers=match)
        assert ended.json()["effective_to"] == "2026-04-30"
        match = {"if-match": ended.headers["etag"]}
        again = await client.post(f"{url}/endings", json={"effective_to": "2026-05-31"}, headers=match)
        assert (again.status_code, again.json()["code"]) == (409, "agreement-already-ended")
        history = (await client.get(f"{url}/history")).json()["items"]
    assert [change["action"] for change in history] == ["version agreed", "version agreed", "ended"]
    assert [change["version"] for change in history] == [1, 2, 3]
    assert history[-1]["detail"] == {"effective_to": "2026-04-30", "note": "Left."}
    assert [event.agreement_version for event in await service.published(AgreementActivatedV1)] == [1, 2]
    assert [event.effective_to for event in await service.published(AgreementEndedV1)] == [date(2026, 4, 30)]


async def test_a_supplier_has_one_agreement(service: Harness) -> None:
    agreement = an_agreement()
    async with service.as_(COORDINATOR) as client:
        key = {"idempotency-key": "agree-1"}
        first = await client.post("/v1/agreements", json=agreement, headers=key)
        replayed = await client.post("/v1/agreements", json=agreement, headers=key)
        second = await client.post("/v1/agreements", json=agreement)
    assert replayed.json() == first.json()
    assert (second.status_code, second.json()["code"]) == (409, "agreement-exists")
    assert second.json()["agreement_id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"target_day": 30}, "target_day"),
        ({"reference_rate_percent": "80"}, "reference_rate_percent"),
        ({"reference_rate_percent": "4.00", "target_day": 29}, "reference_rate_percent"),
        ({"reference_rate_percent": 1.5}, "reference_rate_percent"),
        ({"reference_rate_percent": "-1"}, "reference_rate_percent"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"effective_from": "0001-01-01"}, "effective_from"),
        ({"effective_from": "9999-12-31"}, "effective_from"),
        ({"target_days": 10}, "target_days"),
    ],
)
async def test_terms_that_are_invalid(service: Harness, changed: dict[str, Any], field: str) -> None:
    async with service.as_(COORDINATOR) as client:
        answer = await client.post("/v1/agreements", json=an_agreement(**changed))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("name", TERMS)
async def test_terms_are_agreed_never_inferred(service: Harness, name: str) -> None:
    # Council by council the same words mean other money: £10,000 paid by Bacs on day 9 earns £105.00 or £95.00.
    agreement = {field: value for field, value in an_agreement().items() if field != name}
    async with service.as_(COORDINATOR) as client:
        answer = await client.post("/v1/agreements", json=agreement)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [name])


async def test_an_ending_answers_with_the_version_that_ends(service: Harness) -> None:
    async with service.as_(COORDINATOR) as client:
        made = await client.post("/v1/agreements", json=an_agreement())
        url = made.headers["location"]
        planned = TERMS | {"effective_from": "2026-04-01", "reference_rate_percent": "1.25"}
        added = await client.post(f"{url}/versions", json=planned, headers={"if-match": made.headers["etag"]})
        match = {"if-match": added.headers["etag"]}
        # The calendar's last day is no day on which an agreement ends.
        endless = await client.post(f"{url}/endings", json={"effective_to": "9999-12-31"}, headers=match)
        ended = await client.post(f"{url}/endings", json={"effective_to": "2026-02-15"}, headers=match)
        nul = {"effective_to": "2026-02-15", "note": "left\x00"}
        unkept = await client.post(f"{url}/endings", json=nul, headers={"if-match": ended.headers["etag"]})
    assert (endless.status_code, endless.json()["errors"][0]["field"]) == (422, "effective_to")
    assert (unkept.status_code, unkept.json()["errors"][0]["field"]) == (422, "note")
    assert ended.status_code == 201, ended.text
    assert (ended.json()["agreement_version"], ended.json()["effective_to"]) == (1, "2026-02-15")


async def test_lists_by_status(service: Harness) -> None:
    async with service.as_(COORDINATOR) as client:
        for effective_from in ("2026-01-01", "2026-06-01"):
            await client.post("/v1/agreements", json=an_agreement(effective_from=effective_from))
        gone = await client.post("/v1/agreements", json=an_agreement(effective_from="2025-01-01"))
        match = {"if-match": gone.headers["etag"]}
        await client.post(f"{gone.headers['location']}/endings", json={"effective_to": "2025-12-31"}, headers=match)
        pages = {
            status: (await client.get(f"/v1/agreements?status={status}")).json()["items"]
            for status in ("active", "planned", "ended")
        }
        found = {
            status: [agreement["effective_from"] for agreement in agreements] for status, agreements in pages.items()
        }
        supplier_id = gone.json()["supplier_id"]
        of_supplier = (await client.get("/v1/agreements", params={"supplier_id": supplier_id})).json()["items"]
    assert found == {"active": ["2026-01-01"], "planned": ["2026-06-01"], "ended": ["2025-01-01"]}
    assert len(of_supplier) == 1


async def test_only_the_coordinator_changes_agreements(service: Harness) -> None:
    async with service.as_("auditor") as client:
        assert (await client.post("/v1/agreements", json=an_agreement())).status_code == 403
        assert (await client.get("/v1/agreements")).status_code == 200
        assert (await client.get(f"/v1/agreements/{new_id()}")).status_code == 404


async def test_agreed_with_supplier_service(story: Any) -> None:
    first = story.agreed()
    await story.happens(first, first, story.agreed(effective_from=date(2026, 5, 1), target_day=14))
    await story.happens(story.declined(date(2026, 6, 30)), story.declined(date(2026, 6, 30)))
    async with story.service.as_("auditor") as client:
        params = {"supplier_id": str(story.supplier_id)}
        [agreement] = (await client.get("/v1/agreements", params=params)).json()["items"]
        versions = (await client.get(f"/v1/agreements/{agreement['id']}/versions")).json()["items"]
    assert dates_of(versions) == [(1, "2026-01-01", "2026-04-30"), (2, "2026-05-01", "2026-06-30")]
    assert len(await story.service.published(AgreementEndedV1)) == 1
    # Joining again is the next version of the same agreement.
    await story.happens(story.agreed(effective_from=date(2026, 9, 1)))
    assert [event.agreement_version for event in await story.service.published(AgreementActivatedV1)] == [1, 2, 3]


async def test_terms_in_an_event_are_checked_as_those_that_are_posted(story: Any) -> None:
    with pytest.raises(Malformed) as refused:
        await story.service.deliver(story.agreed(target_day=29, reference_rate_percent="4.00"))
    assert [error.field for error in refused.value.errors] == ["reference_rate_percent"]


async def test_declined_before_it_began(story: Any) -> None:
    await story.happens(story.declined(date(2026, 1, 1)))
    await story.happens(story.agreed(effective_from=date(2026, 5, 1)), story.declined(date(2026, 4, 1)))
    async with story.service.as_("auditor") as client:
        params = {"supplier_id": str(story.supplier_id)}
        [agreement] = (await client.get("/v1/agreements", params=params)).json()["items"]
    assert (agreement["status"], agreement["effective_to"]) == ("ended", "2026-04-30")


async def test_the_database_refuses_two_versions_on_one_day(service: Harness) -> None:
    supplier_id, agreement_id = new_id(), new_id()
    terms = {
        "agreement_id": agreement_id,
        "supplier_id": supplier_id,
        "reference_rate_percent": 1,
        "target_day": 10,
        "term_days": 30,
        "clock_start": "received",
        "clock_end": "run_date",
        "rebate_base": "net",
        "vat_mode": "net_only",
        "collection": "claim",
    }
    first = AgreementVersion(number=1, effective_from=date(2026, 1, 1), effective_to=date(2026, 3, 31), **terms)
    second = AgreementVersion(number=2, effective_from=date(2026, 3, 31), **terms)
    async with service.runtime.sessions.begin() as session:
        session.add(Agreement(id=agreement_id, supplier_id=supplier_id, version=1))
        await session.flush()
        session.add(first)
        await session.flush()
        with pytest.raises(IntegrityError, match="ex_agreement_version_one_a_day"):
            async with session.begin_nested():
                session.add(second)
                await session.flush()


async def test_twenty_racing_posts_make_one_agreement(racing_service: Harness) -> None:
    agreement = an_agreement()
    async with racing_service.as_(COORDINATOR) as client:
        answers = await asyncio.gather(*(client.post("/v1/agreements", json=agreement) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert len(await racing_service.published(AgreementActivatedV1)) == 1
