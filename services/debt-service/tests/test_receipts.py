"""Receipts: single and in bulk, allocated by name or by hand, and reversed."""

from datetime import date

from council_common.contracts.debts import ReceiptReversedV1, ReceivableSettledV1
from council_common.ids import new_id

DUE = date(2026, 3, 20)


async def test_an_explicit_split(office) -> None:
    """Tryton account_statement: 180 tied to the invoice of 100, then to that of 150: 100 + 80, 70 left to pay.

    The invoices' half of the case; its credit note and its bill are payables.
    """
    customer = await office.customer()
    first = await office.receivable(customer, 100_00, due_on=DUE)
    second = await office.receivable(customer, 150_00, due_on=DUE)
    requests = [
        {"receivable_id": first["id"], "amount_pence": 100_00},
        {"number": second["number"], "amount_pence": 80_00},
    ]
    receipt = await office.receipt(180_00, allocations=requests)
    assert [allocation["amount_pence"] for allocation in receipt["allocations"]] == [100_00, 80_00]
    assert {allocation["basis"] for allocation in receipt["allocations"]} == {"explicit"}
    assert (await office.get(f"receivables/{second['id']}"))["outstanding_pence"] == 70_00
    await office.check_books()


async def test_over_allocation_is_refused(office) -> None:
    """Tryton account_statement: the rest, tied to a covered bill, allocates nothing and stays; requested by name it is
    refused here.

    The customer of the covered bill has the money on account: it is no suspense.
    """
    customer = await office.customer()
    covered = await office.receivable(customer, 50_00, due_on=DUE)
    await office.receipt(50_00, payer_reference=covered["number"])
    left = await office.receipt(10_00, payer_reference=covered["number"])
    assert (left["allocations"], left["unallocated_pence"]) == ([], 10_00)
    assert left["customer_id"] == customer["id"]
    request = [{"receivable_id": covered["id"], "amount_pence": 10_00}]
    refused = await office.receipt(10_00, allocations=request, status=409)
    assert (refused["code"], refused["errors"][0]["field"]) == ("over-allocated", "allocations.0.amount_pence")
    assert refused["outstanding_pence"] == 0
    assert len((await office.get("receipts"))["items"]) == 2
    more_than_it_has = [{"receivable_id": covered["id"], "amount_pence": 20_00}]
    assert (await office.receipt(10_00, allocations=more_than_it_has, status=409))["code"] == "not-enough-left"
    await office.check_books()


async def test_reversing_a_receipt_reopens_what_it_paid(office) -> None:
    customer = await office.customer()
    late = await office.receivable(customer, 60_00, due_on=date(2026, 3, 5))
    soon = await office.receivable(customer, 40_00, due_on=DUE)
    receipt = await office.receipt(110_00, customer_id=customer["id"])
    early = await office.post(
        f"receipts/{receipt['id']}/reversals", {"reason": "bounced", "reversed_on": "2026-03-01"}, status=422
    )
    assert early["code"] == "date-too-early"
    back = await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    assert (back["status"], back["unallocated_pence"], back["allocated_pence"]) == ("reversed", 0, 0)
    statuses = [(await office.get(f"receivables/{debt['id']}"))["status"] for debt in (late, soon)]
    assert statuses == ["overdue", "open"]
    assert [event.status for event in await office.service.published(ReceiptReversedV1)] == ["overdue", "open"]
    again = await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "again"}, status=409)
    assert again["code"] == "illegal-move"
    history = await office.all_items(f"receipts/{receipt['id']}/history")
    assert [change["action"] for change in history] == ["received", "allocated", "reversed"]
    await office.check_books()


async def test_receipts_in_bulk_see_what_the_line_before_paid(office) -> None:
    customer = await office.customer()
    receivable = await office.receivable(customer, 100_00, due_on=DUE)
    first = office.receipt_body(60_00, payer_reference=receivable["number"])
    second = office.receipt_body(60_00, payer_reference=receivable["number"])
    request = {"receivable_id": receivable["id"], "amount_pence": 1}
    third = office.receipt_body(60_00, allocations=[request])
    stranger = office.receipt_body(1, customer_id=str(new_id()))
    future = office.receipt_body(1, received_on="2026-03-12")
    other = {**first, "amount_pence": 61_00}
    items = [first, second, third, stranger, future, {"amount_pence": "1"}, first, other]
    answer = await office.post("receipts/bulk", {"items": items}, client=office.erp, status=200)
    outcomes = [(line["outcome"], line["code"]) for line in answer["items"]]
    assert outcomes == [
        ("created", None),
        ("created", None),
        ("refused", "over-allocated"),
        ("refused", "customer-not-found"),
        ("refused", "date-in-future"),
        ("refused", "malformed"),
        ("existing", None),
        ("refused", "source-reference-taken"),
    ]
    found = (await office.get("receipts", receivable_id=receivable["id"]))["items"]
    assert {receipt["source"]["reference"]: receipt["allocated_pence"] for receipt in found} == {
        first["source"]["reference"]: 60_00,
        second["source"]["reference"]: 40_00,
    }
    await office.check_books()


async def test_receipts_in_bulk_in_the_order_of_their_lines(office) -> None:
    """B9 stands before B10 in the file, and after it in the alphabet."""
    receivable = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    lines = [
        office.receipt_body(
            60_00, payer_reference=receivable["number"], source={"system": "bank", "reference": reference}
        )
        for reference in ("B9", "B10")
    ]
    answer = await office.post("receipts/bulk", {"items": lines}, client=office.erp, status=200)
    paid = [(await office.get(f"receipts/{line['id']}"))["allocated_pence"] for line in answer["items"]]
    assert paid == [60_00, 40_00]


async def test_a_line_that_repeats_a_refused_one_is_refused(office) -> None:
    """It was answered with the id of a receipt that had been removed again: money recorded nowhere."""
    receivable = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    request = {"receivable_id": receivable["id"], "amount_pence": 20_00}
    line = office.receipt_body(20_00, allocations=[request])
    items = [line, line, {**line, "allocations": []}]
    answer = await office.post("receipts/bulk", {"items": items}, client=office.erp, status=200)
    assert (answer["created"], answer["existing"], answer["refused"]) == (0, 0, 3)
    assert [(item["index"], item["id"], item["code"]) for item in answer["items"]] == [
        (index, None, "over-allocated") for index in (0, 1, 2)
    ]
    # Corrected and sent again it is taken.
    answer = await office.post("receipts/bulk", {"items": items[2:]}, client=office.erp, status=200)
    assert (await office.get(f"receipts/{answer['items'][0]['id']}"))["amount_pence"] == 20_00
    await office.check_books()


async def test_a_repeated_receipt_with_other_content_is_refused(office) -> None:
    customer = await office.customer()
    receivable = await office.receivable(customer, 10_00, due_on=DUE)
    body = office.receipt_body(10_00, payer_reference="FOR THE BINS")
    first = await office.post("receipts", body, client=office.erp)
    assert (await office.post("receipts", body, client=office.erp, status=200))["id"] == first["id"]
    request = {"receivable_id": receivable["id"], "amount_pence": 10_00}
    for other in ({"customer_id": customer["id"]}, {"allocations": [request]}, {"payer_reference": None}):
        refused = await office.post("receipts", {**body, **other}, client=office.erp, status=409)
        assert refused["code"] == "source-reference-taken"
    # Whose it is, found out since, does not change what the source sent.
    await office.post(f"receipts/{first['id']}/allocations", {"allocations": [request]})
    assert (await office.post("receipts", body, client=office.erp, status=200))["customer_id"] == customer["id"]


async def test_settled_on_the_latest_day_of_what_paid_it(office) -> None:
    """60.00 of 10 March is recorded first, 40.00 of a cheque of 1 March later: owed until the 10th."""
    customer = await office.customer()
    receivable = await office.receivable(customer, 100_00, due_on=date(2026, 3, 20))
    late = await office.receipt(60_00, payer_reference=receivable["number"], received_on="2026-03-10")
    await office.receipt(40_00, payer_reference=receivable["number"], received_on="2026-03-01")
    assert (await office.get(f"receivables/{receivable['id']}"))["settled_on"] == "2026-03-10"
    [event] = await office.service.published(ReceivableSettledV1)
    assert event.settled_on == date(2026, 3, 10)
    # What came back, on the day it came, no longer counts.
    await office.give_back(late, reversed_on="2026-03-10")
    await office.receipt(60_00, payer_reference=receivable["number"], received_on="2026-03-05")
    assert (await office.get(f"receivables/{receivable['id']}"))["settled_on"] == "2026-03-05"


async def test_a_known_payer_pays_another_customers_debt_only_by_hand(office) -> None:
    owed = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    payer = await office.customer()
    request = {"number": owed["number"], "amount_pence": 10_00}
    refused = await office.receipt(10_00, customer_id=payer["id"], allocations=[request], status=409)
    assert (refused["code"], refused["errors"][0]["field"]) == ("another-customers-debt", "allocations.0")
    receipt = await office.receipt(10_00, customer_id=payer["id"])
    done = await office.post(f"receipts/{receipt['id']}/allocations", {"allocations": [request]})
    assert (done["customer_id"], done["allocations"][0]["basis"]) == (payer["id"], "by_hand")
    await office.check_books()


async def test_an_unknown_receivable_is_named(office) -> None:
    receivable = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    requests = [{"receivable_id": receivable["id"], "amount_pence": 1}, {"number": "R9999999", "amount_pence": 1}]
    refused = await office.receipt(10_00, allocations=requests, status=404)
    assert (refused["code"], refused["errors"][0]["field"]) == ("receivable-not-found", "allocations.1.number")
