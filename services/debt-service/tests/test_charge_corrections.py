"""A charge that was wrong is credited whole and raised anew, with its tax point, its payments and a visible trail."""

from datetime import date, timedelta
from typing import Any

from council_common.contracts.debts import AllocationReversedV1, ReceiptAllocatedV1, ReceivableRaisedV1

TODAY = date(2026, 3, 11)
DUE = date(2026, 3, 1)


def _correction(office, pence: int, *, reason: str = "wrong_amount", **values: Any) -> dict[str, Any]:
    line = {"description": "Trade waste", "net_pence": pence, "vat_rate": "0", "vat_pence": 0}
    charge = {"source": {"system": "erp", "reference": "NEW"}, "number": "R9000001", "lines": [line]}
    charge |= {"gross_pence": pence, **values.pop("receivable", {})}
    return {"reason": reason, "note": "the rate of 2026", "receivable": charge, **values}


async def _paid_in_parts(office) -> tuple[Any, Any, Any]:
    """A charge of £100 to a customer, £60 of it paid by one who is named and £10 by one who quoted the number."""
    office.on(TODAY - timedelta(days=5))
    customer = await office.customer()
    wrong = await office.receivable(customer, 100_00, due_on=DUE)
    await office.receipt(60_00, payer_reference=wrong["number"], customer_id=customer["id"])
    await office.receipt(10_00, payer_reference=wrong["number"])
    office.on(TODAY)
    return customer, wrong, await office.get(f"receivables/{wrong['id']}")


async def test_a_corrected_charge_keeps_its_part_payments_and_its_tax_point(office) -> None:
    customer, wrong, _ = await _paid_in_parts(office)
    body = _correction(office, 80_00)
    new = await office.post(f"receivables/{wrong['id']}/corrections", body)
    assert (new["issued_on"], new["due_on"], new["counts_from"]) == (wrong["issued_on"], str(DUE), str(TODAY))
    assert (new["outstanding_pence"], new["replaces_id"], new["customer_id"]) == (10_00, wrong["id"], customer["id"])
    old = await office.get(f"receivables/{wrong['id']}")
    assert (old["status"], old["outstanding_pence"]) == ("cancelled", 0)
    assert [debt["id"] for debt in (await office.get("receivables", replaces_id=wrong["id"]))["items"]] == [new["id"]]
    # The trail: in the history of the wrong charge, in each receipt, in the events.
    history = await office.all_items(f"receivables/{wrong['id']}/history")
    assert [change["action"] for change in history if change["action"] != "overdue"] == [
        *("raised", "paid", "paid", "reopened", "reopened", "cancelled")
    ]
    assert history[-1]["detail"]["replaced_by"] == "R9000001"
    for receipt in (await office.get("receipts", receivable_id=new["id"]))["items"]:
        first, moved = receipt["allocations"]
        assert (first["receivable_id"], first["reversal_reason"]) == (wrong["id"], "charge_corrected")
        assert (moved["receivable_id"], moved["basis"], moved["moved_from_id"]) == (new["id"], "moved", first["id"])
        assert (receipt["customer_id"], receipt["unallocated_pence"]) == (customer["id"], 0)
    assert len(await office.service.published(AllocationReversedV1)) == 2
    assert {event.basis for event in (await office.service.published(ReceiptAllocatedV1))[-2:]} == {"moved"}
    assert str((await office.service.published(ReceivableRaisedV1))[-1].replaces_id) == wrong["id"]
    await office.check_books()
    # What was reported before the correction stays as it was.
    for days, owed in ((1, 30_00), (0, 10_00)):
        day = str(TODAY - timedelta(days=days))
        assert (await office.get("reports/aged-debt", as_at=day))["total"]["total_pence"] == owed
        balance = await office.get("control-accounts", as_at=day)
        assert (balance["sum_pence"], balance["difference_pence"]) == (0, 0)


async def test_a_correction_sent_again_is_there_already(office) -> None:
    _, wrong, _ = await _paid_in_parts(office)
    path, body = f"receivables/{wrong['id']}/corrections", _correction(office, 80_00)
    new = await office.post(path, body)
    office.on(TODAY + timedelta(days=1))
    assert (await office.post(path, body, status=200))["id"] == new["id"]
    other = await office.post(path, _correction(office, 70_00), status=409)
    assert other["code"] == "source-reference-taken"


async def test_a_charge_is_corrected_once_and_then_the_one_in_its_place(office) -> None:
    _, wrong, _ = await _paid_in_parts(office)
    new = await office.post(f"receivables/{wrong['id']}/corrections", _correction(office, 80_00))
    source = {"source": {"system": "erp", "reference": "NEWER"}, "number": "R9000002"}
    again = _correction(office, 70_00, receivable=source)
    refused = await office.post(f"receivables/{wrong['id']}/corrections", again, status=409)
    assert (refused["code"], new["number"] in refused["detail"]) == ("charge-corrected", True)
    newer = await office.post(f"receivables/{new['id']}/corrections", again)
    assert (newer["replaces_id"], newer["outstanding_pence"]) == (new["id"], 0)
    await office.check_books()


async def test_what_the_new_charge_does_not_owe_is_on_account(office) -> None:
    _, wrong, _ = await _paid_in_parts(office)
    new = await office.post(f"receivables/{wrong['id']}/corrections", _correction(office, 65_00))
    assert (new["status"], new["outstanding_pence"]) == ("settled", 0)
    left = [receipt["unallocated_pence"] for receipt in (await office.get("receipts"))["items"]]
    assert sorted(left) == [0, 5_00]
    await office.check_books()


async def test_a_settled_charge_raised_on_the_wrong_customer_is_put_right(office) -> None:
    """The right customer had paid by its number: the charge and the money become theirs, and nothing is owed."""
    office.on(TODAY)
    wrong_customer, right = await office.customer(), await office.customer()
    wrong = await office.receivable(wrong_customer, 100_00, due_on=DUE)
    await office.receipt(100_00, payer_reference=wrong["number"])
    path = f"receivables/{wrong['id']}/corrections"
    body = _correction(office, 100_00, reason="wrong_customer", receivable={"customer_id": right["id"]})
    assert (await office.post(path, body, status=422))["code"] == "payments-not-decided"
    new = await office.post(path, {**body, "payments": "move"})
    assert (new["customer_id"], new["status"], new["due_on"]) == (right["id"], "settled", "2026-04-10")
    [receipt] = (await office.get("receipts", receivable_id=new["id"]))["items"]
    assert receipt["customer_id"] == right["id"]
    await office.check_books()


async def test_what_the_wrong_customer_paid_is_theirs_to_have_back(office) -> None:
    office.on(TODAY)
    wrong_customer, right = await office.customer(), await office.customer()
    wrong = await office.receivable(wrong_customer, 100_00, due_on=DUE)
    paid = await office.receipt(100_00, payer_reference=wrong["number"], customer_id=wrong_customer["id"])
    body = _correction(office, 100_00, reason="wrong_customer", receivable={"customer_id": right["id"]})
    new = await office.post(f"receivables/{wrong['id']}/corrections", {**body, "payments": "release"})
    assert (new["customer_id"], new["outstanding_pence"], new["status"]) == (right["id"], 100_00, "open")
    back = await office.get(f"receipts/{paid['id']}")
    assert (back["customer_id"], back["unallocated_pence"]) == (wrong_customer["id"], 100_00)
    assert back["on_account_reason"] == "allocation_reversed"
    await office.check_books()


async def test_a_correction_that_cannot_be_raised_changes_nothing(office) -> None:
    _, wrong, before = await _paid_in_parts(office)
    path = f"receivables/{wrong['id']}/corrections"
    taken = await office.post(path, _correction(office, 80_00, receivable={"number": wrong["number"]}), status=409)
    assert taken["code"] == "number-taken"
    early = await office.post(path, _correction(office, 80_00, receivable={"due_on": "2020-01-01"}), status=422)
    assert (early["code"], early["errors"][0]["field"]) == ("date-too-early", "receivable.due_on")
    differ = await office.post(path, _correction(office, 80_00, receivable={"gross_pence": 1}), status=422)
    assert differ["code"] == "sums-differ"
    assert await office.get(f"receivables/{wrong['id']}") == before
    # Of a charge that was credited whole nothing is left to correct.
    gone = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    await office.cancel(gone)
    refused = await office.post(f"receivables/{gone['id']}/corrections", _correction(office, 10_00), status=409)
    assert refused["code"] == "illegal-move"
    await office.check_books()
