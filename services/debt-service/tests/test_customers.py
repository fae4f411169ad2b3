"""Customers, single and in bulk, by HTTP."""

from datetime import date

DUE = date(2026, 4, 10)


async def test_a_customer_is_registered_once_and_changed_in_the_version_read(office) -> None:
    body = office.customer_body(source={"system": "erp", "reference": "4000123"})
    first = await office.post("customers", body, client=office.erp)
    assert await office.post("customers", body, client=office.erp, status=200) == first
    reused = await office.post("customers", {**body, "name": "Another name"}, client=office.erp, status=409)
    assert reused["code"] == "source-reference-taken"
    path = f"/v1/customers/{first['id']}"
    assert (await office.erp.patch(path, json={"language": "cy"})).status_code == 428
    assert (await office.erp.patch(path, json={"language": "cy"}, headers={"if-match": '"9"'})).status_code == 412
    for no_etag in ("1", "abc", '"abc"', '"1", "2"', ""):
        refused = await office.erp.patch(path, json={"language": "cy"}, headers={"if-match": no_etag})
        assert (refused.status_code, refused.json()["code"]) == (400, "malformed"), no_etag
        assert refused.json()["errors"][0]["field"] == "If-Match"
        assert refused.json()["errors"][0]["expected"] == 'the ETag you read with its quotes, such as "3"'
    # What the source sent first is compared, whole: a new address in it is other content, and is not swallowed.
    moved = await office.post("customers", {**body, "email": "new@example.com"}, client=office.erp, status=409)
    assert (moved["code"], moved["errors"][0]["field"]) == ("source-reference-taken", "source.reference")
    assert (moved["id"], moved["fields"]) == (first["id"], ["email"])
    changed = await office.erp.patch(path, json={"language": "cy"}, headers={"if-match": '"1"'})
    assert (changed.json()["language"], changed.headers["etag"]) == ("cy", '"2"')
    no_email = await office.erp.patch(path, json={"email": None}, headers={"if-match": '"2"'})
    assert (no_email.status_code, no_email.json()["code"]) == (422, "no-email")
    renamed = await office.erp.patch(path, json={"name": "Quay Café"}, headers={"if-match": '"2"'})
    assert renamed.status_code == 200
    # The source repeats what it sent first: nothing new, whatever the council changed since.
    assert (await office.post("customers", body, client=office.erp, status=200))["name"] == "Quay Café"
    history = await office.all_items(f"customers/{first['id']}/history")
    assert [change["action"] for change in history] == ["registered", "changed", "changed"]
    assert [change["detail"] for change in history[1:]] == [{"fields": ["language"]}, {"fields": ["name"]}]


async def test_a_correction_in_both_systems_is_no_contradiction(office) -> None:
    """The ERP's new e-mail address was entered here as well: its nightly repeat is what is here."""
    body = office.customer_body(source={"system": "erp", "reference": "4000124"})
    first = await office.post("customers", body, client=office.erp)
    moved = {**body, "email": "new@example.com", "address": {"lines": ["1 Quay", "Ashford"], "postcode": "TN23 1AA"}}
    assert (await office.post("customers", moved, client=office.erp, status=409))["code"] == "source-reference-taken"
    change = {"email": moved["email"], "address": moved["address"]}
    answer = await office.erp.patch(f"/v1/customers/{first['id']}", json=change, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    assert (await office.post("customers", moved, client=office.erp, status=200))["version"] == 2
    assert (await office.post("customers", body, client=office.erp, status=200))["version"] == 2
    other = {**moved, "name": "Another name"}
    assert (await office.post("customers", other, client=office.erp, status=409))["code"] == "source-reference-taken"


async def test_customers_in_bulk_and_found_again(office) -> None:
    good, other = office.customer_body(), office.customer_body(name="Mr Trelawny", kind="individual")
    answer = await office.post(
        "customers/bulk", {"items": [good, {"name": 1}, other, good]}, client=office.erp, status=200
    )
    assert [item["outcome"] for item in answer["items"]] == ["created", "refused", "created", "existing"]
    assert {error["field"] for error in answer["items"][1]["errors"]} >= {"source", "kind", "name"}
    ids = [answer["items"][0]["id"], answer["items"][2]["id"]]
    assert {customer["id"] for customer in (await office.get("customers", ids=ids))["items"]} == set(ids)
    assert [customer["id"] for customer in (await office.get("customers", q="trelawny"))["items"]] == [ids[1]]
    assert [customer["id"] for customer in (await office.get("customers", kind="individual"))["items"]] == [ids[1]]
    assert len((await office.get("customers", source_reference=good["source"]["reference"]))["items"]) == 1


async def test_an_item_of_nothing_but_faults_has_a_short_answer(office) -> None:
    strange = office.customer_body() | {f"unknown_{n}": n for n in range(101)}
    answer = await office.post("customers/bulk", {"items": [strange]}, client=office.erp, status=200)
    assert answer["items"][0]["errors"] == [
        {
            "field": "items",
            "problem": "has more than 100 faults in one item",
            "expected": "the fields of its kind",
        }
    ]


async def test_an_address_that_no_mail_reaches_is_refused(office) -> None:
    for unreachable in ("owed@example..com", ".owed@example.com", "owed@example,com.uk"):
        refused = await office.post("customers", office.customer_body(email=unreachable), client=office.erp, status=422)
        assert refused["errors"] == [{"field": "email", "problem": "not an e-mail address", "expected": "name@domain"}]
    kept = await office.post("customers", office.customer_body(email=" info@müller.example "), client=office.erp)
    assert kept["email"] == "info@müller.example"
