"""Receivables, single and in bulk, by HTTP."""

from datetime import date, timedelta

import pytest
from council_common.contracts.debts import ReceivableOverdueV1, ReceivableRaisedV1
from council_common.ids import new_id
from debt_service.ledger.receivables.rules import NEXT, ReceivableStatus, is_overdue
from debt_service.main import SERVICE

DUE = date(2026, 4, 10)
DAY = date(2026, 3, 11)


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
        ({"gross_pence": 100.5}, "gross_pence"),
        ({"gross_pence": -100}, "gross_pence"),
        ({"number": "r 1"}, "number"),
        ({"issued_on": "11/03/2026"}, "issued_on"),
        ({"issued_on": 1773187200}, "issued_on"),  # seconds since 1970 are no date
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"customer_id": None}, "customer"),
        ({"lines": []}, "lines"),
        ({"department": "a\x00b"}, "department"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_is_invalid(office, change: dict, field: str) -> None:
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
        "customer": {"system": "erp", "reference": "unknown"}
    }
    del stranger["customer_id"]
    bad_sum = {**office.receivable_body(customer, 10_00, due_on=DUE), "gross_pence": 11_00}
    future = office.receivable_body(customer, 10_00, due_on=date(2026, 4, 20))
    taken = {**office.receivable_body(customer, 10_00, due_on=DUE), "number": good[0]["number"]}
    reused = {**good[1], "gross_pence": 10_00, "department": "leisure"}
    items = [*good, by_source, stranger, bad_sum, future, taken, reused, good[2]]
    answer = await office.post("receivables/bulk", {"items": items}, client=office.erp, status=200)
    assert (answer["created"], answer["existing"], answer["refused"]) == (4, 1, 5)
    codes = [(item["index"], item["code"]) for item in answer["items"] if item["outcome"] == "refused"]
    assert codes == [
        (4, "customer-not-found"),
        (5, "sums-differ"),
        (6, "date-in-future"),
        (7, "number-taken"),
        (8, "source-reference-taken"),
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
    """The council sends this tax invoice: its VAT arithmetic has to be right (council policy)."""
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


async def test_a_refusal_has_one_status_and_names_the_field(office) -> None:
    future = office.receivable_body(await office.customer(), 10_00, due_on=date(2026, 4, 20))
    refused = await office.post("receivables", future, client=office.erp, status=422)
    assert (refused["code"], refused["detail"]) == ("date-in-future", "issued_on is in the future.")
    stranger = {**office.receivable_body({"id": str(new_id())}, 10_00, due_on=DUE)}
    refused = await office.post("receivables", stranger, client=office.erp, status=404)
    assert (refused["code"], refused["errors"][0]["field"]) == ("customer-not-found", "customer_id")
    refused = await office.receipt(1, customer_id=str(new_id()), status=404)
    assert refused["code"] == "customer-not-found"


async def test_overdue_is_marked_once_by_the_date_in_london(office) -> None:
    customer = await office.customer()
    due = await office.receivable(customer, 10_00, due_on=date(2026, 3, 11))
    job = next(job for job in SERVICE.jobs if job.name == "mark-overdue")
    await office.service.run_job(job)
    assert await office.service.published(ReceivableOverdueV1) == []
    future = await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"}, status=422)
    assert future["code"] == "date-in-future"
    office.on(date(2026, 3, 12))
    assert (await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"}, status=200))["marked"] == 1
    await office.service.run_job(job)
    [event] = await office.service.published(ReceivableOverdueV1)
    assert (str(event.receivable_id), event.version) == (due["id"], 2)


async def test_overdue_since_the_day_after_it_was_due_whenever_it_is_marked(office) -> None:
    debt = await office.receivable(await office.customer(), 10_00, due_on=date(2026, 1, 31))
    office.on(date(2026, 3, 12))
    await office.post("receivables/overdue-markings", {"as_at": "2026-03-12"}, status=200)
    assert (await office.get(f"receivables/{debt['id']}"))["overdue_on"] == "2026-02-01"


async def test_a_wrong_sum_is_refused_with_the_right_one(office) -> None:
    body = office.receivable_body(await office.customer(), 120_00, due_on=DUE)
    lines = [{"description": "Bins", "net_pence": 100_00, "vat_rate": "20", "vat_pence": 20_00}]
    wrong = {
        "gross_pence": ({"lines": lines, "gross_pence": 120_01}, "sums-differ", "12000"),
        "lines.0.vat_pence": (
            {"lines": [{**lines[0], "vat_pence": 15_00}]},
            "malformed",
            "2000, or within a penny of it",
        ),
    }
    for field, (changed, code, expected) in wrong.items():
        answer = await office.post("receivables", {**body, **changed}, status=422, client=office.erp)
        assert [(error["field"], error["expected"]) for error in answer["errors"]] == [(field, expected)]
        assert answer["code"] == code


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


async def test_overdue_from_the_day_after_the_due_date(office) -> None:
    """Marking (SQL) and reopening go by one rule, `is_overdue`."""
    receivable = await office.receivable(await office.customer(), 10_00, due_on=DAY)
    for day in (DAY, DAY + timedelta(days=1)):
        office.on(day)
        marked = await office.post("receivables/overdue-markings", {"as_at": str(day)}, status=200)
        assert bool(marked["marked"]) is is_overdue(DAY, as_at=day)
        paid = await office.receipt(10_00, payer_reference=receivable["number"])
        await office.post(f"receipts/{paid['id']}/reversals", {"reason": "refer_to_payer"})
        status = (await office.get(f"receivables/{receivable['id']}"))["status"]
        assert (status == "overdue") is is_overdue(DAY, as_at=day)
