import asyncio
from typing import Any

import pytest
from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.testing.harness import Harness
from pydantic import ValidationError
from supplier_service.fields import field_errors
from supplier_service.suppliers.schemas import SupplierIn
from supplier_stories import a_supplier, registered


async def test_the_erp_registers_a_supplier(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=a_supplier())
        shown = await erp.get(answer.headers["location"])
    assert answer.status_code == 201
    supplier = answer.json()
    assert shown.json() == supplier
    assert shown.headers["etag"] == '"1"'
    assert supplier["source"] == {"system": "erp", "reference": "4000123"}
    assert (supplier["company_number"], supplier["vat_number"]) == ("00445790", "980780684")
    assert (supplier["status"], supplier["payments_held"], supplier["payment_hold_reasons"]) == ("active", False, [])
    assert supplier["bank_account"]["sort_code"] == "••-••-41"
    assert supplier["bank_account"]["account_number"] == "••••4268"
    assert supplier["contacts"][0]["phone_since"] == "2019-04-01"
    [event] = await service.published(SupplierRegisteredV1)
    assert str(event.supplier_id) == supplier["id"]
    assert (event.version, event.status, event.payment_terms_days) == (1, "active", 30)


async def test_the_same_content_again_finds_the_supplier(service: Harness) -> None:
    first = await registered(service)
    async with service.as_("erp") as erp:
        again = await erp.post("/v1/suppliers", json=a_supplier())
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert len(await service.published()) == 1


async def test_the_first_registration_again_after_a_change_finds_the_supplier(service: Harness) -> None:
    first = await registered(service)
    async with service.as_("erp") as erp:
        path = f"/v1/suppliers/{first['id']}"
        await erp.patch(path, json={"name": "Ardley Paving and Sons Ltd"}, headers={"If-Match": '"1"'})
        as_before = await erp.post("/v1/suppliers", json=a_supplier())
        as_now = await erp.post("/v1/suppliers", json=a_supplier(name="Ardley Paving and Sons Ltd"))
        other = await erp.post("/v1/suppliers", json=a_supplier(name="Somebody Else Ltd"))
    assert [as_before.status_code, as_now.status_code, other.status_code] == [200, 200, 409]
    assert as_before.json()["name"] == "Ardley Paving and Sons Ltd"


async def test_other_content_is_refused_by_field_name(service: Harness) -> None:
    await registered(service)
    account = {"sort_code": "111111", "account_number": "12345678"}
    told = a_supplier(name="Ardley Ltd", payment_terms_days=14, bank_account=account)
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=told)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "supplier-source-reference-taken")
    assert [error["field"] for error in body["errors"]] == ["name", "payment_terms_days", "bank_account"]
    assert "Ardley" not in answer.text
    assert "12345678" not in answer.text


async def test_an_idempotency_key_replays_the_first_answer(service: Harness) -> None:
    async with service.as_("erp") as erp:
        key = {"Idempotency-Key": "load-1"}
        first = await erp.post("/v1/suppliers", json=a_supplier(), headers=key)
        again = await erp.post("/v1/suppliers", json=a_supplier(), headers=key)
        other = await erp.post("/v1/suppliers", json=a_supplier(reference="9"), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize("key", [None, "the-same"])
async def test_twenty_racing_posts_make_one_supplier(racing_service: Harness, key: str | None) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(erp.post("/v1/suppliers", json=a_supplier(), headers=headers) for _ in range(20))
        )
        listed = (await erp.get("/v1/suppliers")).json()["items"]
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert {answer.json()["id"] for answer in answers} == {listed[0]["id"]}
    assert len(listed) == 1
    assert len(await racing_service.published()) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "nul\x00byte"}, "name"),
        ({"name": "half \ud800 pair"}, "name"),
        ({"vat_number": "980780685"}, "vat_number"),
        ({"company_number": "XX123456"}, "company_number"),
        ({"payment_terms_days": -1}, "payment_terms_days"),
        ({"payment_terms_days": 30.5}, "payment_terms_days"),
        ({"payment_terms_days": "30"}, "payment_terms_days"),
        ({"source": {"system": "erp"}}, "source.reference"),
        ({"market_sector": "Not a code"}, "market_sector"),
        ({"contacts": [{"name": "A", "email": "a@b", "purpose": "accounts"}]}, "contacts.0.email"),
        ({"contacts": [{"name": "A", "purpose": "sales"}]}, "contacts.0.purpose"),
        ({"bank_account": {"sort_code": "2000", "account_number": "12345678"}}, "bank_account.sort_code"),
        ({"bank_account": {"sort_code": "200000", "account_number": "12"}}, "bank_account.account_number"),
        ({"nmae": "misspelt"}, "nmae"),
    ],
)
def test_wrong_fields_are_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SupplierIn.model_validate(a_supplier(**wrong))
    [error] = field_errors(refused.value)
    assert error.field == field
    assert error.expected


async def test_a_wrong_field_is_a_problem_document(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=a_supplier(vat_number="980780685"))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert [error["field"] for error in answer.json()["errors"]] == ["vat_number"]
    assert "980780685" not in answer.text


async def test_a_sector_must_be_on_the_list(service: Harness) -> None:
    async with service.as_("erp") as erp:
        refused = await erp.post("/v1/suppliers", json=a_supplier(market_sector="construction"))
        await erp.post("/v1/market-sectors", json={"code": "construction", "name": "Construction"})
        accepted = await erp.post("/v1/suppliers", json=a_supplier(market_sector="construction"))
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-market-sector")
    assert (accepted.status_code, accepted.json()["market_sector"]) == (201, "construction")


async def test_market_sectors(service: Harness) -> None:
    async with service.as_("early_payment_coordinator") as coordinator:
        wanted = {"code": "care", "name": "Social care"}
        first = await coordinator.post("/v1/market-sectors", json=wanted)
        again = await coordinator.post("/v1/market-sectors", json=wanted)
        other = await coordinator.post("/v1/market-sectors", json={**wanted, "name": "Care homes"})
        await coordinator.post("/v1/market-sectors", json={"code": "it", "name": "Computers"})
        listed = await coordinator.get("/v1/market-sectors", params={"limit": 1})
        rest = await coordinator.get("/v1/market-sectors", params={"limit": 1, "cursor": listed.json()["next"]})
        history = await coordinator.get("/v1/market-sectors/care/history")
        missing = await coordinator.get("/v1/market-sectors/none")
    assert [first.status_code, again.status_code, other.status_code, missing.status_code] == [201, 200, 409, 404]
    assert [page.json()["items"][0]["code"] for page in (listed, rest)] == ["care", "it"]
    assert rest.json()["next"] is None
    assert [change["action"] for change in history.json()] == ["added"]


async def test_who_may_not(service: Harness) -> None:
    async with service.as_("auditor") as auditor, service.client() as nobody:
        refused = await auditor.post("/v1/suppliers", json=a_supplier())
        unknown = await nobody.post("/v1/suppliers", json=a_supplier())
    assert (refused.status_code, unknown.status_code) == (403, 401)
