"""Lists of the service: filters, sorts, pages, downloads."""

from datetime import date

import pytest

DUE = date(2026, 4, 10)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("reports/aged-debt", {"as_at": "9999-12-31"}),
        ("control-accounts", {"as_at": "9999-12-31"}),
        ("control-accounts/reconciliation", {"start": "0001-01-01"}),
        ("receivables", {"outstanding_pence_from": "9" * 20}),
        ("receivables", {"outstanding_pence_to": "9" * 20}),
        ("receivables", {"due_from": "9999-12-31"}),
        *(("receivables", {name: "a\x00b"}) for name in ("number", "department", "debt_type")),
        ("receivables/export.csv", {"department": "a\x00b"}),
        *(("customers", {name: "a\x00b"}) for name in ("q", "source_system", "source_reference")),
        ("holds", {"owner": "a\x00b"}),
        ("holds", {"review_to": "9999-12-31"}),
        ("receipts", {"received_from": "9999-12-31"}),
        ("journal", {"posted_to": "9999-12-31"}),
        ("dunning-runs", {"as_at_to": "9999-12-31"}),
        ("dunning-runs/01a2030b-3769-7351-ab33-2fb3a9e4b6be/items", {"reason": "a\x00b"}),
        ("receivables/01a2030b-3769-7351-ab33-2fb3a9e4b6be/next-notice", {"as_at": "9999-12-31"}),
    ],
)
async def test_a_filter_that_is_invalid(office, path: str, params: dict[str, str]) -> None:
    answer = await office.officer.get(f"/v1/{path}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.json()["errors"][0]["field"] == next(iter(params))


async def test_lists_filter_sort_page_and_export(office) -> None:
    customer = await office.customer(name="+HYPERLINK()")
    for pence, department in ((1_00, "leisure"), (3_00, "leisure"), (2_00, "rents")):
        await office.receivable(customer, pence, due_on=DUE, department=department)
    page = await office.get("receivables", sort="-outstanding_pence", limit=2, customer_id=customer["id"])
    assert [receivable["gross_pence"] for receivable in page["items"]] == [3_00, 2_00]
    rest = await office.get(
        "receivables", sort="-outstanding_pence", limit=2, customer_id=customer["id"], cursor=page["next"]
    )
    assert ([receivable["gross_pence"] for receivable in rest["items"]], rest["next"]) == ([1_00], None)
    filters = {
        "department": "leisure",
        "outstanding_pence_from": 2_00,
        "due_from": "2026-04-10",
        "due_to": "2026-04-10",
    }
    assert [receivable["gross_pence"] for receivable in (await office.get("receivables", **filters))["items"]] == [3_00]
    assert (await office.get("receivables", overdue_as_at="2026-04-10"))["items"] == []
    assert len((await office.get("receivables", overdue_as_at="2026-04-11"))["items"]) == 3
    assert (await office.get("receivables", on_hold=True))["items"] == []
    export = await office.officer.get("/v1/receivables/export.csv", params={"department": "leisure"})
    assert len(export.text.splitlines()) == 3


async def test_a_misspelled_filter_does_not_show_everything(office) -> None:
    for path in ("receivables", "receivables/export.csv", "customers"):
        answer = await office.officer.get(f"/v1/{path}", params={"stauts": "overdue", "limit": 1})
        assert answer.status_code == 422, path
        assert "stauts" in [error["field"] for error in answer.json()["errors"]]


async def test_receipts_are_found_by_amount_by_what_was_written_and_by_payer(office) -> None:
    smith, jones = await office.customer(name="Anna Smith"), await office.customer(name="Harbour 100% Ltd")
    first = await office.receipt(12_34, customer_id=smith["id"], payer_reference="bins Mrs Smith")
    second = await office.receipt(12_34, customer_id=jones["id"], payer_reference="RENT_MARCH")
    third = await office.receipt(50_00, payer_reference="mother of a smith")
    for filters, found in (
        ({"amount_pence": 12_34}, [first, second]),
        ({"q": "SMITH"}, [first, third]),
        ({"q": "t_m"}, [second]),
        ({"q": third["source"]["reference"]}, [third]),
        ({"payer": "smith"}, [first]),
        ({"payer": "100%"}, [second]),
        ({"payer": "smith", "q": "rent"}, []),
    ):
        receipts = (await office.get("receipts", **filters))["items"]
        assert {receipt["id"] for receipt in receipts} == {receipt["id"] for receipt in found}, filters


async def test_receipts_are_filtered_by_a_reason_only_while_something_is_on_account(office) -> None:
    """What was reversed and set against a debt again waits for nobody: list, download and answer agree."""
    debt = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    receipt = await office.receipt(10_00, payer_reference=debt["number"])
    back = await office.take_back(receipt, receipt["allocations"][0])
    waiting = await office.get("receipts", on_account_reason="allocation_reversed")
    assert [one["id"] for one in waiting["items"]] == [receipt["id"]]
    await office.allocate(back, debt, 10_00)
    assert (await office.get("receipts", on_account_reason="allocation_reversed"))["items"] == []
    [row] = await office.csv("receipts/export.csv")
    assert (row["unallocated_pounds"], row["on_account_reason"]) == ("0.00", "")
