from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1, SupplierReleasedV1
from council_common.testing.harness import Harness
from supplier_stories import a_supplier, registered

RELEASE = {"reason": "resolved", "note": "Genuine"}


async def test_a_change_names_the_version_it_changes(service: Harness) -> None:
    supplier = await registered(service)
    path = f"/v1/suppliers/{supplier['id']}"
    async with service.as_("payments_assistant") as assistant:
        none = await assistant.patch(path, json={"payment_terms_days": 14})
        changed = await assistant.patch(path, json={"payment_terms_days": 14}, headers={"If-Match": '"1"'})
        stale = await assistant.patch(path, json={"payment_terms_days": 7}, headers={"If-Match": '"1"'})
        nothing = await assistant.patch(path, json={"payment_terms_days": 14}, headers={"If-Match": '"2"'})
    assert [none.status_code, changed.status_code, stale.status_code, nothing.status_code] == [428, 200, 412, 200]
    assert changed.json()["payment_terms_days"] == 14
    assert changed.headers["etag"] == nothing.headers["etag"] == '"2"'
    [event] = await service.published(SupplierChangedV1)
    assert (event.version, event.changed, event.payment_terms_days) == (2, ["payment_terms_days"], 14)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"vat_number": None}, {"vat_number": None}),
        ({"company_number": "SC123456"}, {"company_number": "SC123456"}),
        (
            {"address": {"lines": ["1 High St", "Bath"], "postcode": "ba11aa"}},
            {"address": {"lines": ["1 High St", "Bath"], "postcode": "BA1 1AA"}},
        ),
        ({"address": None}, {"address": None}),
        ({"contacts": []}, {"contacts": []}),
    ],
)
async def test_fields_are_changed_and_emptied(service: Harness, changes: dict[str, Any], shown: dict[str, Any]) -> None:
    path = f"/v1/suppliers/{(await registered(service))['id']}"
    async with service.as_("erp") as erp:
        answer = await erp.patch(path, json=changes, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert answer.json().items() >= shown.items()


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": None}, (422, "malformed")),
        ({"bank_account": {}}, (422, "malformed")),
        ({"status": "held"}, (422, "malformed")),
        ({"market_sector": "x"}, (404, "market-sector-not-found")),
    ],
)
async def test_what_a_change_cannot_do(service: Harness, changes: dict[str, Any], refused: tuple[int, str]) -> None:
    path = f"/v1/suppliers/{(await registered(service))['id']}"
    async with service.as_("erp") as erp:
        answer = await erp.patch(path, json=changes, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == refused


async def test_a_new_number_counts_from_today_and_a_kept_one_from_before(service: Harness) -> None:
    supplier = await registered(service)
    [contact] = supplier["contacts"]
    kept = {name: contact[name] for name in ("id", "name", "email", "phone", "purpose")}
    contacts = [
        {**kept, "phone": "+44 1603 555010"},
        {"name": "New director", "phone": "07700 900123", "purpose": "general"},
    ]
    async with service.as_("payments_assistant") as assistant:
        path = f"/v1/suppliers/{supplier['id']}"
        answer = await assistant.patch(path, json={"contacts": contacts}, headers={"If-Match": '"1"'})
        strange = await assistant.patch(
            path, json={"contacts": [{**kept, "id": str(uuid4())}]}, headers={"If-Match": '"2"'}
        )
        history = await assistant.get(f"{path}/history")
    old, new = answer.json()["contacts"]
    assert (old["id"], old["phone_since"], new["phone_since"]) == (contact["id"], "2019-04-01", "2026-03-11")
    assert (strange.status_code, strange.json()["code"]) == (404, "contact-not-found")
    assert [change["action"] for change in history.json()["items"]] == ["registered", "changed"]
    assert history.json()["items"][1]["detail"] == {"fields": ["contacts"]}


async def test_history_names_the_fields_that_changed_and_shows_values_that_are_not_personal(service: Harness) -> None:
    path = f"/v1/suppliers/{(await registered(service))['id']}"
    async with service.as_("erp") as erp:
        before = (await erp.get(path)).json()["payment_terms_days"]
        changes = {"name": "Ardley and Daughters Ltd", "payment_terms_days": 7}
        assert (await erp.patch(path, json=changes, headers={"If-Match": '"1"'})).status_code == 200
        detail = (await erp.get(f"{path}/history")).json()["items"][1]["detail"]
    assert detail == {
        "fields": ["name", "payment_terms_days"],
        "before": {"payment_terms_days": before},
        "after": {"payment_terms_days": 7},
    }


async def test_held_while_any_hold_stands(service: Harness) -> None:
    path = f"/v1/suppliers/{(await registered(service))['id']}"
    async with service.as_("ap_manager") as assistant:
        fraud = await assistant.post(f"{path}/holds", json={"reason": "suspected_fraud", "note": "Odd letter"})
        court = await assistant.post(f"{path}/holds", json={"reason": "court_order", "note": "Order of 9 March"})
        held = (await assistant.get(path)).json()
        one = await assistant.post(f"{path}/holds/{fraud.json()['id']}/releases", json=RELEASE)
        still = (await assistant.get(path)).json()
        last = await assistant.post(f"{path}/holds/{court.json()['id']}/releases", json=RELEASE)
        again = await assistant.post(f"{path}/holds/{court.json()['id']}/releases", json=RELEASE)
        free = (await assistant.get(path)).json()
        history = (await assistant.get(f"{path}/history")).json()["items"]
        holds = (await assistant.get(f"{path}/holds")).json()["items"]
    assert [fraud.status_code, court.status_code, one.status_code, last.status_code] == [201] * 4
    assert (again.status_code, again.json()["code"]) == (409, "hold-already-released")
    assert (held["status"], held["payment_hold_reasons"]) == ("held", ["court_order", "suspected_fraud"])
    assert (still["status"], still["payments_held"], len(still["holds"])) == ("held", True, 1)
    assert (free["status"], free["payments_held"], free["holds"]) == ("active", False, [])
    assert [event.version for event in await service.published(SupplierHeldV1)] == [2, 3]
    assert [event.version for event in await service.published(SupplierReleasedV1)] == [5]
    assert [change["version"] for change in history] == [1, 2, 3, 4, 5]
    assert [(change["reason"], change["detail"].get("note")) for change in history[1:3]] == [
        ("suspected_fraud", "Odd letter"),
        ("court_order", "Order of 9 March"),
    ]
    assert [(hold["release_reason"], hold["release_note"]) for hold in holds] == [("resolved", "Genuine")] * 2
    assert (fraud.headers["location"], last.headers["etag"]) == (f"{path}/holds/{fraud.json()['id']}", '"5"')


@pytest.mark.parametrize("reason", ["suspected_fraud", "court_order"])
async def test_a_person_the_hold_may_be_about_does_not_release_it(service: Harness, reason: str) -> None:
    path = f"/v1/suppliers/{(await registered(service))['id']}/holds"
    async with service.as_("payments_assistant") as assistant, service.as_("ap_manager") as manager:
        placed = (await assistant.post(path, json={"reason": reason, "note": "Odd letter"})).json()
        other = (await assistant.post(path, json={"reason": "dispute", "note": "Short delivery"})).json()
        refused = await assistant.post(f"{path}/{placed['id']}/releases", json=RELEASE)
        by_assistant = await assistant.post(f"{path}/{other['id']}/releases", json=RELEASE)
        released = await manager.post(f"{path}/{placed['id']}/releases", json=RELEASE)
    assert (refused.status_code, refused.json()["code"]) == (403, "release-needs-approver")
    assert [by_assistant.status_code, released.status_code] == [201, 201]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"payment_terms_days": None}, "payment_terms_days"),
        ({"contacts": None}, "contacts"),
        (
            {"contacts": [{"id": "0195a1b2-0000-7000-8000-000000000001", "name": "A", "purpose": "general"}] * 2},
            "contacts",
        ),
    ],
)
async def test_what_a_change_cannot_do_names_its_field(service: Harness, changes: dict[str, Any], field: str) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.patch(f"/v1/suppliers/{uuid4()}", json=changes, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_lists_filter_sort_and_page(service: Harness) -> None:
    async with service.as_("erp") as erp:
        await erp.post("/v1/market-sectors", json={"code": "care", "name": "Social care"})
    for number, name in enumerate(["Brook Care", "Ardley 100% Paving", "Cole & Sons"]):
        sector = {"market_sector": "care"} if name == "Brook Care" else {}
        numbers = {"reference": str(number), "company_number": f"SC12345{number}"}
        supplier = await registered(service, name=name, **numbers, **sector)
        service.now += timedelta(seconds=1)
    async with service.as_("payments_assistant") as assistant:
        await assistant.post(f"/v1/suppliers/{supplier['id']}/holds", json={"reason": "other", "note": "Look"})

        async def names(**params: Any) -> list[str]:
            answer = await assistant.get("/v1/suppliers", params=params)
            assert answer.status_code == 200, answer.text
            return [item["name"] for item in answer.json()["items"]]

        assert await names(q="brook") == ["Brook Care"]
        assert await names(q="100%") == ["Ardley 100% Paving"]
        assert await names(q="_") == []
        assert await names(market_sector="care") == ["Brook Care"]
        assert await names(company_number="SC123451") == ["Ardley 100% Paving"]
        assert await names(source_system="erp", source_reference="2") == ["Cole & Sons"]
        assert await names(status="held") == await names(held=True) == ["Cole & Sons"]
        assert await names(held=False, sort="name") == ["Ardley 100% Paving", "Brook Care"]
        assert await names(ids=[supplier["id"]], limit=1) == ["Cole & Sons"]
        assert (await assistant.get("/v1/suppliers", params={"sort": "vat_number"})).status_code == 422
        for sort, expected in (
            ("name", ["Ardley 100% Paving", "Brook Care", "Cole & Sons"]),
            ("-registered_at", ["Cole & Sons", "Ardley 100% Paving", "Brook Care"]),
        ):
            seen, cursor = [], None
            while True:
                params = {"sort": sort, "limit": 1, **({"cursor": cursor} if cursor else {})}
                answer = await assistant.get("/v1/suppliers", params=params)
                assert answer.status_code == 200, answer.text
                page = answer.json()
                seen += [item["name"] for item in page["items"]]
                if (cursor := page["next"]) is None:
                    break
            assert seen == expected


async def test_a_supplier_without_an_account_has_an_empty_list_of_accounts(service: Harness) -> None:
    async with service.as_("erp") as erp:
        supplier = (await erp.post("/v1/suppliers", json=a_supplier(bank_account=None))).json()
        answer = await erp.get(f"/v1/suppliers/{supplier['id']}/bank-accounts")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


async def test_an_unknown_supplier_is_404(service: Harness) -> None:
    async with service.as_("payments_assistant") as assistant:
        for path in ("", "/history", "/bank-accounts", "/holds"):
            answer = await assistant.get(f"/v1/suppliers/{uuid4()}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "supplier-not-found")


async def test_two_hundred_at_most_are_listed_by_id(service: Harness) -> None:
    async with service.as_("erp") as erp:
        items = [a_supplier(reference=str(number)) for number in range(201)]
        made = (await erp.post("/v1/suppliers/bulk", json={"items": items})).json()["items"]
        ids = [item["id"] for item in made]
        found = await erp.get("/v1/suppliers", params={"ids": ids[:200]})
        too_many = await erp.get("/v1/suppliers", params={"ids": ids})
    assert len(found.json()["items"]) == 200
    assert too_many.status_code == 422
