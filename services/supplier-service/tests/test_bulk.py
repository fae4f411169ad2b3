import asyncio
from typing import Any

from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.testing.harness import Harness
from supplier_stories import SECRETS, a_supplier, registered


def _many(count: int) -> list[dict[str, Any]]:
    return [a_supplier(reference=f"B{number:05}") for number in range(count)]


async def _bulk(service: Harness, items: list[Any], **headers: str) -> Any:
    async with service.as_("erp") as erp:
        return await erp.post("/v1/suppliers/bulk", json={"items": items}, headers=headers)


async def test_good_items_go_in_and_bad_ones_come_back(service: Harness) -> None:
    there = await registered(service)
    account = {"sort_code": "20-55-4", "account_number": "91734268"}
    items = [
        a_supplier(reference="A"),
        a_supplier(reference="B", vat_number="123456789"),
        a_supplier(),
        a_supplier(name="Another Ltd"),
        a_supplier(reference="A"),
        a_supplier(reference="A", payment_terms_days=7),
        a_supplier(reference="C", market_sector="unheard-of"),
        a_supplier(reference="D", bank_account=account),
        "not an object",
        {"source": {"system": "erp", "reference": "E"}},
    ]
    answer = await _bulk(service, items)
    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in ("received", "created", "existing", "refused")} == {
        "received": 10,
        "created": 1,
        "existing": 2,
        "refused": 7,
    }
    outcomes = [item["outcome"] for item in body["items"]]
    assert outcomes == ["created", "refused", "existing", "refused", "existing", *["refused"] * 5]
    assert [item["index"] for item in body["items"]] == list(range(10))
    assert body["items"][2]["id"] == there["id"]
    assert body["items"][4]["id"] == body["items"][0]["id"]
    fields = {item["index"]: [error["field"] for error in item["errors"]] for item in body["items"] if item["errors"]}
    assert fields == {
        1: ["vat_number"],
        3: ["source.reference", "name"],
        5: ["source.reference", "payment_terms_days"],
        6: ["market_sector"],
        7: ["bank_account.sort_code"],
        8: [""],
        9: ["name"],
    }
    assert all(error["expected"] for item in body["items"] for error in item["errors"])
    assert len(await service.published(SupplierRegisteredV1)) == 2
    assert not any(secret in answer.text for secret in SECRETS)


async def test_the_same_file_again_adds_nothing(service: Harness) -> None:
    first = (await _bulk(service, _many(50))).json()
    again = (await _bulk(service, _many(50))).json()
    assert (first["created"], again["existing"], again["created"]) == (50, 50, 0)
    assert [item["id"] for item in first["items"]] == [item["id"] for item in again["items"]]
    assert len(await service.published()) == 50


async def test_racing_files_make_each_supplier_once(racing_service: Harness) -> None:
    forwards, backwards = _many(200), _many(200)[::-1]
    answers = await asyncio.gather(*(_bulk(racing_service, file) for file in (forwards, backwards, forwards)))
    bodies = [answer.json() for answer in answers]
    assert sum(body["created"] for body in bodies) == 200
    assert sum(body["existing"] for body in bodies) == 400
    assert len(await racing_service.published()) == 200


async def test_an_item_of_a_thousand_errors_is_answered_with_one(service: Harness) -> None:
    items = [{str(number): 1 for number in range(1000)}, a_supplier()]
    body = (await _bulk(service, items)).json()
    assert [item["outcome"] for item in body["items"]] == ["refused", "created"]
    [error] = body["items"][0]["errors"]
    assert (error["problem"], error["expected"]) == ("has more than 100 faults in one item", "the fields of its kind")


async def test_five_thousand_at_most(service: Harness) -> None:
    answer = await _bulk(service, [{}] * 5001)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "items")


async def test_five_thousand_at_once(racing_service: Harness) -> None:
    answer = await _bulk(racing_service, _many(5000))
    assert answer.json()["created"] == 5000


async def test_the_document_says_what_an_item_is(service: Harness) -> None:
    document = service.app.openapi()
    items = document["components"]["schemas"]["SuppliersIn"]["properties"]["items"]
    assert items["items"] == {"$ref": "#/components/schemas/SupplierIn"}
    assert "SupplierIn" in document["components"]["schemas"]
