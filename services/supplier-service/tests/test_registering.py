import asyncio
from typing import Any
from uuid import uuid4

import pytest
from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.testing.harness import Harness
from council_common.web.field_errors import field_error
from pydantic import ValidationError
from supplier_service.suppliers.schemas import SupplierIn
from supplier_stories import a_supplier, registered


async def test_h5_a_foreign_vat_number_is_stored_with_its_country(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=a_supplier(vat_number="IE 1234567T"))
        shown = await erp.get(answer.headers["location"])
    assert (answer.status_code, shown.json()["vat_number"]) == (201, "IE1234567T")


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
        other = await erp.post("/v1/suppliers", json=a_supplier(name="Another Firm Ltd"))
    assert [as_before.status_code, as_now.status_code, other.status_code] == [200, 200, 409]
    assert as_before.json()["name"] == "Ardley Paving and Sons Ltd"


async def test_other_content_is_refused_by_field_name(service: Harness) -> None:
    await registered(service)
    account = {"sort_code": "111111", "account_number": "12345678"}
    supplier = a_supplier(name="Ardley Ltd", payment_terms_days=14, bank_account=account)
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=supplier)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "source-reference-taken")
    assert [error["field"] for error in body["errors"]] == [
        "source.reference",
        "name",
        "payment_terms_days",
        "bank_account",
    ]
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


async def test_guesses_at_an_account_are_answered_alike(service: Harness) -> None:
    """A caller who may register learns no more of an account than its masks show."""
    await registered(service)  # 20-55-41 91734268
    alike = {"sort_code": "99-99-41", "account_number": "11114268"}
    guesses = [alike, {**alike, "sort_code": "20-55-41"}, {**alike, "account_number": "91734268"}]
    genuine = {"sort_code": "20-55-41", "account_number": "91734268"}
    visibly_other = {"sort_code": "20-55-41", "account_number": "91734269"}
    async with service.as_("erp") as erp:
        items = [a_supplier(name="Guess", bank_account=account) for account in [*guesses, genuine, visibly_other]]
        answer = (await erp.post("/v1/suppliers/bulk", json={"items": items})).json()["items"]
        single = await erp.post("/v1/suppliers", json=a_supplier(bank_account=alike))
    fields = [[error["field"] for error in item["errors"]] for item in answer]
    assert fields == [["source.reference", "name"]] * 4 + [["source.reference", "name", "bank_account"]]
    assert single.status_code == 200


@pytest.mark.parametrize(
    ("role", "fields", "wrong"),
    [
        ("payments_assistant", {}, ["source.system", "bank_account", "contacts.0.phone_since"]),
        ("early_payment_coordinator", {"bank_account": None}, ["source.system", "contacts.0.phone_since"]),
        ("supplier_registrar", {}, ["bank_account", "contacts.0.phone_since"]),
        (
            "ap_manager",
            {"source": {"system": "manual", "reference": "1"}},
            ["bank_account", "contacts.0.phone_since"],
        ),
    ],
)
async def test_a_first_account_comes_from_the_erp_only(
    service: Harness, role: str, fields: dict[str, Any], wrong: list[str]
) -> None:
    supplier = a_supplier(**fields)
    async with service.as_(role) as caller:
        refused = await caller.post("/v1/suppliers", json=supplier)
        in_bulk = await caller.post("/v1/suppliers/bulk", json={"items": [supplier]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-source")
    assert [error["field"] for error in refused.json()["errors"]] == wrong
    [item] = in_bulk.json()["items"]
    assert (item["outcome"], [error["field"] for error in item["errors"]]) == ("refused", wrong)
    assert await service.published() == []


@pytest.mark.parametrize(("role", "system"), [("payments_assistant", "manual"), ("supplier_registrar", "spend-file")])
async def test_callers_who_register_without_an_account(service: Harness, role: str, system: str) -> None:
    contact = {"name": "A", "phone": "01603 555010", "purpose": "accounts"}
    supplier = a_supplier(source={"system": system, "reference": "1"}, contacts=[contact], bank_account=None)
    async with service.as_(role) as caller:
        answer = await caller.post("/v1/suppliers", json=supplier)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["bank_account"], answer.json()["contacts"][0]["phone_since"]) == (None, "2026-03-11")


async def test_a_number_is_not_held_since_tomorrow(service: Harness) -> None:
    contact = {"name": "A", "phone": "01603 555010", "purpose": "accounts"}
    supplier = a_supplier(contacts=[contact, {**contact, "phone_since": "2026-03-12"}])
    today = a_supplier(reference="T", contacts=[{**contact, "phone_since": "2026-03-11"}])
    async with service.as_("erp") as erp:
        refused = await erp.post("/v1/suppliers", json=supplier)
        in_bulk = await erp.post("/v1/suppliers/bulk", json={"items": [supplier, today]})
    assert (refused.status_code, refused.json()["code"]) == (422, "date-in-future")
    expected = [{"field": "contacts.1.phone_since", "problem": "is in the future", "expected": "2026-03-11 or earlier"}]
    assert refused.json()["errors"] == expected
    assert [item["outcome"] for item in in_bulk.json()["items"]] == ["refused", "created"]


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
    [error] = map(field_error, refused.value.errors())
    assert error.field == field
    assert error.expected


def test_half_a_pair_is_no_text() -> None:
    with pytest.raises(ValidationError) as refused:
        SupplierIn.model_validate(a_supplier(name="half \ud800 pair"))
    assert [error.field for error in map(field_error, refused.value.errors())] == ["name"]


async def test_a_wrong_field_is_a_problem_document(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=a_supplier(vat_number="980780685"))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert [error["field"] for error in answer.json()["errors"]] == ["vat_number"]
    assert "980780685" not in answer.text


async def test_a_wrong_field_is_answered_alike_alone_and_among_many(service: Harness) -> None:
    wrong = a_supplier(vat_number="980780685", payment_terms_days="30", nmae="misspelt")
    del wrong["name"]
    async with service.as_("erp") as erp:
        alone = (await erp.post("/v1/suppliers", json=wrong)).json()["errors"]
        among_many = (await erp.post("/v1/suppliers/bulk", json={"items": [wrong]})).json()["items"][0]["errors"]
    assert alone == among_many
    assert {error["field"] for error in alone} == {"name", "vat_number", "payment_terms_days", "nmae"}
    assert all(error["expected"] for error in alone)


async def test_a_sector_must_be_on_the_list(service: Harness) -> None:
    async with service.as_("erp") as erp:
        refused = await erp.post("/v1/suppliers", json=a_supplier(market_sector="construction"))
        await erp.post("/v1/market-sectors", json={"code": "construction", "name": "Construction"})
        accepted = await erp.post("/v1/suppliers", json=a_supplier(market_sector="construction"))
    assert (refused.status_code, refused.json()["code"]) == (404, "market-sector-not-found")
    assert (accepted.status_code, accepted.json()["market_sector"]) == (201, "construction")


async def test_market_sectors(service: Harness) -> None:
    async with service.as_("early_payment_coordinator") as coordinator:
        care = {"code": "care", "name": "Social care"}
        first = await coordinator.post("/v1/market-sectors", json=care)
        again = await coordinator.post("/v1/market-sectors", json=care)
        other = await coordinator.post("/v1/market-sectors", json={**care, "name": "Care homes"})
        await coordinator.post("/v1/market-sectors", json={"code": "it", "name": "Computers"})
        listed = await coordinator.get("/v1/market-sectors", params={"limit": 1})
        rest = await coordinator.get("/v1/market-sectors", params={"limit": 1, "cursor": listed.json()["next"]})
        by_code = await coordinator.get("/v1/market-sectors", params={"code": "it"})
        shown = await coordinator.get(first.headers["location"])
        history = await coordinator.get(f"{first.headers['location']}/history")
        missing = await coordinator.get(f"/v1/market-sectors/{uuid4()}")
    assert [first.status_code, again.status_code, other.status_code, missing.status_code] == [201, 200, 409, 404]
    assert [page.json()["items"][0]["code"] for page in (listed, rest)] == ["care", "it"]
    assert rest.json()["next"] is None
    assert [sector["name"] for sector in by_code.json()["items"]] == ["Computers"]
    assert (shown.json(), shown.headers["etag"], again.headers["location"]) == (
        first.json(),
        '"1"',
        first.headers["location"],
    )
    assert [change["action"] for change in history.json()["items"]] == ["added"]
    assert missing.json()["code"] == "market-sector-not-found"


async def test_an_auditor_and_an_unknown_caller_register_nothing(service: Harness) -> None:
    async with service.as_("auditor") as auditor, service.client() as anonymous:
        refused = await auditor.post("/v1/suppliers", json=a_supplier())
        unknown = await anonymous.post("/v1/suppliers", json=a_supplier())
    assert (refused.status_code, unknown.status_code) == (403, 401)
