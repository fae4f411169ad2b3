"""Customers and receivables, single and bulk, by HTTP."""

from datetime import date
from fractions import Fraction
from math import floor

import pytest
from council_common.contracts.debts import ReceivableCancelledV1, ReceivableOverdueV1, ReceivableRaisedV1
from council_common.ids import new_id
from debt_service.ledger.receivables.rules import NEXT, ReceivableStatus, vat_share
from debt_service.main import SERVICE
from hypothesis import given
from hypothesis import strategies as st

DUE = date(2026, 4, 10)


async def test_a_customer_is_registered_once_and_changed_in_the_version_read(office) -> None:
    body = office.customer_body(source={"system": "erp", "reference": "4000123"})
    first = await office.post("customers", body, client=office.erp)
    assert await office.post("customers", body, client=office.erp, status=200) == first
    reused = await office.post("customers", {**body, "name": "Somebody else"}, client=office.erp, status=409)
    assert reused["code"] == "source-reused"
    path = f"/v1/customers/{first['id']}"
    assert (await office.erp.patch(path, json={"language": "cy"})).status_code == 428
    assert (await office.erp.patch(path, json={"language": "cy"}, headers={"if-match": '"9"'})).status_code == 412
    # The first delivery is compared, whole: a new address in it is other content, and is not swallowed.
    moved = await office.post("customers", {**body, "email": "new@example.com"}, client=office.erp, status=409)
    assert (moved["code"], moved["errors"][0]["field"]) == ("source-reused", "source.reference")
    changed = await office.erp.patch(path, json={"language": "cy"}, headers={"if-match": '"1"'})
    assert (changed.json()["language"], changed.headers["etag"]) == ("cy", '"2"')
    no_email = await office.erp.patch(path, json={"email": None}, headers={"if-match": '"2"'})
    assert (no_email.status_code, no_email.json()["code"]) == (422, "no-email")
    renamed = await office.erp.patch(path, json={"name": "Quay Café"}, headers={"if-match": '"2"'})
    assert renamed.status_code == 200
    # The source tells what it told first: nothing new, whatever the council changed since.
    assert (await office.post("customers", body, client=office.erp, status=200))["name"] == "Quay Café"
    history = await office.get(f"customers/{first['id']}/history")
    assert [change["action"] for change in history] == ["registered", "changed", "changed"]


async def test_what_was_put_right_in_both_systems_is_no_contradiction(office) -> None:
    """The ERP's new e-mail address was entered here as well: its nightly repeat is what is here."""
    body = office.customer_body(source={"system": "erp", "reference": "4000124"})
    first = await office.post("customers", body, client=office.erp)
    moved = {**body, "email": "new@example.com", "address": {"lines": ["1 Quay"], "postcode": None}}
    assert (await office.post("customers", moved, client=office.erp, status=409))["code"] == "source-reused"
    change = {"email": moved["email"], "address": moved["address"]}
    answer = await office.erp.patch(f"/v1/customers/{first['id']}", json=change, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    assert (await office.post("customers", moved, client=office.erp, status=200))["version"] == 2
    assert (await office.post("customers", body, client=office.erp, status=200))["version"] == 2
    other = {**moved, "name": "Somebody else"}
    assert (await office.post("customers", other, client=office.erp, status=409))["code"] == "source-reused"


async def test_customers_in_bulk_and_found_again(office) -> None:
    good, other = office.customer_body(), office.customer_body(name="Mr Trelawny", kind="individual")
    answer = await office.post(
        "customers/bulk", {"items": [good, {"name": 1}, other, good]}, client=office.erp, status=200
    )
    assert [line["outcome"] for line in answer["items"]] == ["created", "refused", "created", "existing"]
    assert {error["field"] for error in answer["items"][1]["errors"]} >= {"source", "kind", "name"}
    ids = [answer["items"][0]["id"], answer["items"][2]["id"]]
    assert {customer["id"] for customer in (await office.get("customers", ids=ids))["items"]} == set(ids)
    assert [customer["id"] for customer in (await office.get("customers", q="trelawny"))["items"]] == [ids[1]]
    assert [customer["id"] for customer in (await office.get("customers", kind="individual"))["items"]] == [ids[1]]
    assert len((await office.get("customers", source_reference=good["source"]["reference"]))["items"]) == 1


async def test_one_receivable_one_entry_one_event(office) -> None:
    customer = await office.customer()
    lines = [
        {"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00},
        {"description": "Deposit", "net_pence": 5_00, "vat_rate": "0", "vat_pence": 0},
    ]
    body = office.receivable_body(customer, 125_00, due_on=DUE, lines=lines)
    del body["due_on"]
    raised = await office.post("receivables", body, client=office.erp)
    assert (raised["due_on"], raised["net_pence"], raised["vat_pence"]) == ("2026-04-10", 105_00, 20_00)
    assert (raised["status"], raised["outstanding_pence"]) == ("open", 125_00)
    assert await office.post("receivables", body, client=office.erp, status=200) == raised
    [entry] = (await office.get("journal", receivable_id=raised["id"]))["items"]
    assert {line["account"]: line["amount_pence"] for line in entry["lines"]} == {
        "receivables_control": 125_00,
        "income": -105_00,
        "vat_output": -20_00,
    }
    assert await office.get(f"journal/{entry['id']}") == entry
    assert (await office.officer.get(f"/v1/journal/{raised['id']}")).json()["code"] == "journal-entry-not-found"
    [event] = await office.service.published(ReceivableRaisedV1)
    assert (event.number, event.gross_pence, event.version) == (raised["number"], 125_00, 1)
    await office.check_books()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gross_pence": 1}, "gross_pence"),
        ({"gross_pence": 100.5}, "gross_pence"),
        ({"gross_pence": -100}, "gross_pence"),
        ({"number": "r 1"}, "number"),
        ({"issued_on": "11/03/2026"}, "issued_on"),
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"customer_id": None}, "customer"),
        ({"lines": []}, "lines"),
        ({"department": "a\x00b"}, "department"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_cannot_be_right(office, change: dict, field: str) -> None:
    body = office.receivable_body(await office.customer(), 100, due_on=DUE) | change
    answer = await office.post("receivables", body, client=office.erp, status=422)
    assert answer["code"] == "malformed"
    assert any(error["field"].startswith(field) for error in answer["errors"])


async def test_bulk_keeps_good_lines_and_explains_bad_ones(office) -> None:
    customer = await office.customer()
    good = [office.receivable_body(customer, 10_00, due_on=DUE) for _ in range(3)]
    by_source = office.receivable_body(customer, 10_00, due_on=DUE) | {"customer": customer["source"]}
    del by_source["customer_id"]
    stranger = office.receivable_body(customer, 10_00, due_on=DUE) | {
        "customer": {"system": "erp", "reference": "nobody"}
    }
    del stranger["customer_id"]
    bad_sum = {**office.receivable_body(customer, 10_00, due_on=DUE), "gross_pence": 11_00}
    future = office.receivable_body(customer, 10_00, due_on=date(2026, 4, 20))
    taken = {**office.receivable_body(customer, 10_00, due_on=DUE), "number": good[0]["number"]}
    reused = {**good[1], "gross_pence": 10_00, "department": "leisure"}
    items = [*good, by_source, stranger, bad_sum, future, taken, reused, good[2]]
    answer = await office.post("receivables/bulk", {"items": items}, client=office.erp, status=200)
    assert (answer["created"], answer["existing"], answer["refused"]) == (4, 1, 5)
    codes = [(line["line"], line["code"]) for line in answer["items"] if line["outcome"] == "refused"]
    assert codes == [
        (5, "customer-not-found"),
        (6, "malformed"),
        (7, "date-in-future"),
        (8, "number-taken"),
        (9, "source-reused"),
    ]
    again = await office.post("receivables/bulk", {"items": items}, client=office.erp, status=200)
    assert (again["created"], again["existing"], again["refused"]) == (0, 5, 5)
    assert len(await office.service.published(ReceivableRaisedV1)) == 4
    await office.check_books()


async def test_one_rate_however_it_is_written(office) -> None:
    line = {"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}
    body = office.receivable_body(await office.customer(), 120_00, due_on=DUE, lines=[line])
    raised = await office.post("receivables", body, client=office.erp)
    body["lines"] = [{**line, "vat_rate": "20.0"}]
    assert await office.post("receivables", body, client=office.erp, status=200) == raised


@pytest.mark.parametrize(
    ("net", "rate", "vat"),
    [
        (1_000_00, "20", 900_00),
        (1_000_00, "20", 200_02),
        (1_000_00, "20", 199_98),
        (1_000_00, "0", 200_00),
        (1_000_00, "20", -200_00),
        (2_00, "20", -1_00),
        (1, "0", 1),
    ],
)
async def test_vat_is_the_rate_of_the_net(office, net: int, rate: str, vat: int) -> None:
    """payables.md §1.1: correct VAT arithmetic; here the council sends the invoice."""
    line = {"description": "Bins", "net_pence": net, "vat_rate": rate, "vat_pence": vat}
    body = office.receivable_body(await office.customer(), net + vat, due_on=DUE, lines=[line])
    refused = await office.post("receivables", body, client=office.erp, status=422)
    assert "lines.0.vat_pence" in {error["field"] for error in refused["errors"]}


@pytest.mark.parametrize(
    ("net", "rate", "vat"), [(1_000_00, "20", 200_01), (1_000_00, "20", 199_99), (1_000_00, "20", 0), (3, "20", 1)]
)
async def test_vat_within_a_penny_or_reverse_charged(office, net: int, rate: str, vat: int) -> None:
    line = {"description": "Bins", "net_pence": net, "vat_rate": rate, "vat_pence": vat}
    raised = await office.receivable(await office.customer(), net + vat, due_on=DUE, lines=[line])
    assert raised["vat_pence"] == vat


async def test_a_charge_never_takes_vat_back(office) -> None:
    lines = [
        {"description": "Deposit", "net_pence": 100_00, "vat_rate": "0", "vat_pence": 0},
        {"description": "Bins not emptied", "net_pence": -50_00, "vat_rate": "20", "vat_pence": -10_00},
    ]
    body = office.receivable_body(await office.customer(), 40_00, due_on=DUE, lines=lines)
    refused = await office.post("receivables", body, client=office.erp, status=422)
    assert refused["errors"][0]["field"] == "gross_pence"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("reports/aged-debt", {"as_at": "9999-12-31"}),
        ("control-accounts", {"as_at": "9999-12-31"}),
        ("control-accounts/reconciliation", {"start": "0001-01-01"}),
        ("receivables", {"min_outstanding_pence": "9" * 20}),
        ("receivables", {"max_outstanding_pence": "9" * 20}),
        ("receivables", {"due_from": "9999-12-31"}),
        *(("receivables", {name: "a\x00b"}) for name in ("number", "department", "debt_type")),
        ("receivables/export.csv", {"department": "a\x00b"}),
        *(("customers", {name: "a\x00b"}) for name in ("q", "source_system", "source_reference")),
        ("holds", {"owner": "a\x00b"}),
        ("holds", {"review_before": "9999-12-31"}),
        ("receipts", {"received_from": "9999-12-31"}),
        ("journal", {"posted_to": "9999-12-31"}),
        ("dunning-runs", {"as_at_to": "9999-12-31"}),
        ("dunning-runs/01a2030b-3769-7351-ab33-2fb3a9e4b6be/items", {"reason": "a\x00b"}),
        ("receivables/01a2030b-3769-7351-ab33-2fb3a9e4b6be/next-notice", {"as_at": "9999-12-31"}),
    ],
)
async def test_what_cannot_be_asked(office, path: str, params: dict[str, str]) -> None:
    answer = await office.officer.get(f"/v1/{path}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.json()["errors"][0]["field"] == next(iter(params))


async def test_a_refusal_has_one_status_and_says_what_is_wrong(office) -> None:
    future = office.receivable_body(await office.customer(), 10_00, due_on=date(2026, 4, 20))
    refused = await office.post("receivables", future, client=office.erp, status=422)
    assert (refused["code"], refused["detail"]) == ("date-in-future", "issued_on lies in the future.")
    stranger = {**office.receivable_body({"id": str(new_id())}, 10_00, due_on=DUE)}
    refused = await office.post("receivables", stranger, client=office.erp, status=404)
    assert (refused["code"], refused["errors"][0]["field"]) == ("customer-not-found", "customer_id")
    refused = await office.receipt(1, customer_id=str(new_id()), status=404)
    assert refused["code"] == "customer-not-found"


async def test_a_line_of_nothing_but_faults_has_a_short_answer(office) -> None:
    strange = office.customer_body() | {f"unknown_{n}": n for n in range(101)}
    answer = await office.post("customers/bulk", {"items": [strange]}, client=office.erp, status=200)
    assert answer["items"][0]["errors"] == [
        {
            "field": "items",
            "problem": "has more than 100 faults in one line",
            "expected": "the fields of its kind",
        }
    ]


async def test_lists_filter_sort_page_and_export(office) -> None:
    customer = await office.customer(name="=HYPERLINK()")
    for pence, department in ((1_00, "leisure"), (3_00, "leisure"), (2_00, "rents")):
        await office.receivable(customer, pence, due_on=DUE, department=department)
    page = await office.get("receivables", sort="-outstanding_pence", limit=2, customer_id=customer["id"])
    assert [receivable["gross_pence"] for receivable in page["items"]] == [3_00, 2_00]
    rest = await office.get(
        "receivables", sort="-outstanding_pence", limit=2, customer_id=customer["id"], cursor=page["next"]
    )
    assert ([receivable["gross_pence"] for receivable in rest["items"]], rest["next"]) == ([1_00], None)
    filters = {"department": "leisure", "min_outstanding_pence": 2_00, "due_from": "2026-04-10", "due_to": "2026-04-10"}
    assert [receivable["gross_pence"] for receivable in (await office.get("receivables", **filters))["items"]] == [3_00]
    assert (await office.get("receivables", overdue_as_at="2026-04-10"))["items"] == []
    assert len((await office.get("receivables", overdue_as_at="2026-04-11"))["items"]) == 3
    assert (await office.get("receivables", on_hold=True))["items"] == []
    export = await office.officer.get("/v1/receivables/export.csv", params={"department": "leisure"})
    assert len(export.text.splitlines()) == 3


async def test_cancelling_takes_back_what_is_outstanding(office) -> None:
    customer = await office.customer()
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    raised = await office.receivable(customer, 120_00, due_on=DUE, lines=lines)
    await office.receipt(60_00, payer_reference=raised["number"])
    cancelled = await office.post(f"receivables/{raised['id']}/cancellations", {"reason": "raised_in_error"})
    assert (cancelled["status"], cancelled["outstanding_pence"]) == ("cancelled", 0)
    [event] = await office.service.published(ReceivableCancelledV1)
    assert (event.cancelled_pence, event.version, event.reason) == (60_00, 3, "raised_in_error")
    balances = {
        account["account"]: account["balance_pence"] for account in (await office.get("control-accounts"))["accounts"]
    }
    assert (balances["income"], balances["vat_output"], balances["bank"]) == (-50_00, -10_00, 60_00)
    again = await office.post(f"receivables/{raised['id']}/cancellations", {"reason": "other"}, status=409)
    assert again["code"] == "illegal-move"
    await office.check_books()


async def test_overdue_is_marked_once_by_the_date_in_london(office) -> None:
    customer = await office.customer()
    due = await office.receivable(customer, 10_00, due_on=date(2026, 3, 11))
    job = next(job for job in SERVICE.jobs if job.name == "mark-overdue")
    await office.service.run_job(job)
    assert await office.service.published(ReceivableOverdueV1) == []
    future = await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"}, status=422)
    assert future["code"] == "date-in-future"
    office.on(date(2026, 3, 12))
    assert (await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"}))["marked"] == 1
    await office.service.run_job(job)
    [event] = await office.service.published(ReceivableOverdueV1)
    assert (str(event.receivable_id), event.version) == (due["id"], 2)


async def test_overdue_since_the_day_after_it_was_due_whenever_it_is_marked(office) -> None:
    debt = await office.receivable(await office.customer(), 10_00, due_on=date(2026, 1, 31))
    office.on(date(2026, 3, 12))
    await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"})
    assert (await office.get(f"receivables/{debt['id']}"))["overdue_on"] == "2026-02-01"


async def test_what_does_not_add_up_is_told_with_what_would(office) -> None:
    body = office.receivable_body(await office.customer(), 120_00, due_on=DUE)
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    wrong = {
        "gross_pence": ({"lines": lines, "gross_pence": 120_01}, "12000"),
        "lines.0.vat_pence": ({"lines": [{**lines[0], "vat_pence": 15_00}]}, "2000, or within a penny of it"),
    }
    for field, (changed, expected) in wrong.items():
        answer = await office.post("receivables", {**body, **changed}, status=422, client=office.erp)
        assert [(error["field"], error["expected"]) for error in answer["errors"]] == [(field, expected)]


async def test_a_misspelled_filter_does_not_show_everything(office) -> None:
    for path in ("receivables", "receivables/export.csv", "customers"):
        answer = await office.officer.get(f"/v1/{path}", params={"stauts": "overdue", "limit": 1})
        assert answer.status_code == 422, path
        assert "stauts" in [error["field"] for error in answer.json()["errors"]]


async def test_one_key_makes_one_receivable(office) -> None:
    body = office.receivable_body(await office.customer(), 10_00, due_on=DUE)
    headers = {"idempotency-key": "once"}
    first = await office.erp.post("/v1/receivables", json=body, headers=headers)
    second = await office.erp.post("/v1/receivables", json=body, headers=headers)
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    other = await office.erp.post("/v1/receivables", json={**body, "number": "R9"}, headers=headers)
    assert other.json()["code"] == "idempotency-key-reused"


def test_every_state_leads_somewhere_and_open_is_never_reached_from_overdue() -> None:
    assert set(NEXT) == set(ReceivableStatus)
    assert ReceivableStatus.OPEN not in NEXT[ReceivableStatus.OVERDUE]


async def test_why_a_charge_was_cancelled_is_told_as_a_code(office) -> None:
    """Events carry no free text: what the officer wrote stays in the history."""
    raised = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    path = f"receivables/{raised['id']}/cancellations"
    written = "Mrs Smith of 4 High St died on 3 March"
    refused = await office.post(path, {"reason": written}, status=422)
    assert refused["errors"][0]["field"] == "reason"
    await office.post(path, {"reason": "other", "note": written})
    [event] = await office.service.published(ReceivableCancelledV1)
    assert event.reason == "other"
    last = (await office.get(f"receivables/{raised['id']}/history"))[-1]
    assert (last["action"], last["reason"], last["detail"]["reason"]) == ("cancelled", written, "other")


async def test_credit_notes_never_take_back_more_vat_than_was_charged(office) -> None:
    """120.00 with 20.00 of VAT: 89.97 is cancelled, the receipt of 30.03 bounces, the rest is cancelled as well.

    By themselves the two hold 14.995 and 5.005: half up that is 20.01.
    """
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    raised = await office.receivable(await office.customer(), 120_00, due_on=DUE, lines=lines)
    receipt = await office.receipt(30_03, payer_reference=raised["number"])
    path = f"receivables/{raised['id']}/cancellations"
    await office.post(path, {"reason": "raised_in_error"})
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    await office.post(path, {"reason": "raised_in_error"})
    cancelled = [change["detail"] for change in await office.get(f"receivables/{raised['id']}/history")]
    assert [detail["vat_pence"] for detail in cancelled if "vat_pence" in detail] == [15_00, 5_00]
    balances = {
        account["account"]: account["balance_pence"] for account in (await office.get("control-accounts"))["accounts"]
    }
    assert (balances["vat_output"], balances["income"], balances["receivables_control"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("vat", "part", "gross", "share"),
    [
        (2_28, 1_95, 13_68, 33),  # exactly 32.5p
        (1_56, 2_01, 9_36, 34),  # exactly 33.5p
        (13_00, 51, 78_00, 9),  # exactly 8.5p
        (20_01, 30_03, 120_06, 5_01),  # exactly 500.5p
        (20_00, 60_00, 120_00, 10_00),
    ],
)
def test_the_vat_of_a_part_is_half_up(vat: int, part: int, gross: int, share: int) -> None:
    assert vat_share(vat, part, gross) == share


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.data())
def test_the_vat_of_a_part_is_the_nearest_penny(net: int, vat: int, data: st.DataObject) -> None:
    gross = net + vat
    part = data.draw(st.integers(1, gross))
    assert vat_share(vat, part, gross) == floor(Fraction(vat * part, gross) + Fraction(1, 2))
