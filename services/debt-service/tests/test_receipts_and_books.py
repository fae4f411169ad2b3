"""Receipts set against debts, and books that always agree."""

from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.debts import ReceiptAllocatedV1, ReceiptReversedV1, ReceivableSettledV1
from council_common.ids import new_id
from debt_service.receipts.rules import Basis, shares
from debt_service.receivables.rules import Owed, Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

DUE = date(2026, 3, 20)


async def test_a_quoted_reference_comes_first(office) -> None:
    customer = await office.customer()
    older = await office.receivable(customer, 100_00, due_on=DUE - timedelta(days=5))
    quoted = await office.receivable(customer, 100_00, due_on=DUE)
    receipt = await office.receipt(100_00, payer_reference=f"BIN {quoted['number'].lower()} THANKS")
    [allocation] = receipt["allocations"]
    assert (allocation["receivable_id"], allocation["basis"]) == (quoted["id"], "quoted_reference")
    assert receipt["customer_id"] == customer["id"]
    assert (await office.ask(f"receivables/{quoted['id']}"))["status"] == "settled"
    assert (await office.ask(f"receivables/{older['id']}"))["outstanding_pence"] == 100_00
    [allocated] = await office.service.published(ReceiptAllocatedV1)
    [settled] = await office.service.published(ReceivableSettledV1)
    assert (allocated.version, settled.version, allocated.basis) == (2, 3, "quoted_reference")
    await office.books_agree()


async def test_then_the_same_amount_then_the_oldest_and_the_rest_stays_on_account(office) -> None:
    customer = await office.customer()
    oldest = await office.receivable(customer, 70_00, due_on=DUE - timedelta(days=9))
    same = await office.receivable(customer, 50_00, due_on=DUE)
    first = await office.receipt(50_00, customer_id=customer["id"])
    assert [(each["receivable_id"], each["basis"]) for each in first["allocations"]] == [(same["id"], "same_amount")]
    second = await office.receipt(90_00, customer_id=customer["id"])
    assert [(each["receivable_id"], each["basis"]) for each in second["allocations"]] == [(oldest["id"], "oldest_due")]
    assert second["unallocated_pence"] == 20_00
    later = await office.receivable(customer, 30_00, due_on=DUE)
    by_hand = {"allocations": [{"number": later["number"], "amount_pence": 20_00}]}
    done = await office.tell(f"receipts/{second['id']}/allocations", by_hand)
    assert (done["unallocated_pence"], done["allocations"][-1]["basis"]) == (0, "by_hand")
    too_much = await office.tell(f"receipts/{second['id']}/allocations", by_hand, status=409)
    assert too_much["code"] == "not-enough-left"
    await office.books_agree()


async def test_money_from_nobody_is_suspense(office) -> None:
    receipt = await office.receipt(12_34, payer_reference="HAPPY BIRTHDAY")
    assert (receipt["allocations"], receipt["unallocated_pence"], receipt["customer_id"]) == ([], 12_34, None)
    report = await office.ask("reports/aged-debt", by="customer")
    assert report["total"]["unallocated_pence"] == 12_34
    assert report["rows"][0]["key"] == "unidentified"
    assert len((await office.ask("receipts", unallocated=True))["items"]) == 1


async def test_r1_an_explicit_split(office) -> None:
    """Tryton account_statement R1: 180 tied to the invoice of 100, then to that of 150: 100 + 80, 70 left to pay."""
    customer = await office.customer()
    first = await office.receivable(customer, 100_00, due_on=DUE)
    second = await office.receivable(customer, 150_00, due_on=DUE)
    wishes = [
        {"receivable_id": first["id"], "amount_pence": 100_00},
        {"number": second["number"], "amount_pence": 80_00},
    ]
    receipt = await office.receipt(180_00, allocations=wishes)
    assert [each["amount_pence"] for each in receipt["allocations"]] == [100_00, 80_00]
    assert {each["basis"] for each in receipt["allocations"]} == {"explicit"}
    assert (await office.ask(f"receivables/{second['id']}"))["outstanding_pence"] == 70_00
    await office.books_agree()


async def test_r2_over_allocation_is_refused(office) -> None:
    """Tryton R2: the left-over tied to a covered bill allocates nothing and stays; asked for by name we refuse."""
    customer = await office.customer()
    covered = await office.receivable(customer, 50_00, due_on=DUE)
    await office.receipt(50_00, payer_reference=covered["number"])
    left = await office.receipt(10_00, payer_reference=covered["number"])
    assert (left["allocations"], left["unallocated_pence"]) == ([], 10_00)
    wish = [{"receivable_id": covered["id"], "amount_pence": 10_00}]
    refused = await office.receipt(10_00, allocations=wish, status=409)
    assert refused["code"] == "over-allocated"
    assert len((await office.ask("receipts"))["items"]) == 2
    more_than_it_has = [{"receivable_id": covered["id"], "amount_pence": 20_00}]
    assert (await office.receipt(10_00, allocations=more_than_it_has, status=409))["code"] == "not-enough-left"
    await office.books_agree()


async def test_a_receipt_that_comes_back_reopens_what_it_paid(office) -> None:
    customer = await office.customer()
    late = await office.receivable(customer, 60_00, due_on=date(2026, 3, 5))
    soon = await office.receivable(customer, 40_00, due_on=DUE)
    receipt = await office.receipt(110_00, customer_id=customer["id"])
    early = await office.tell(
        f"receipts/{receipt['id']}/reversals", {"reason": "bounced", "reversed_on": "2026-03-01"}, status=422
    )
    assert early["code"] == "date-too-early"
    back = await office.tell(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    assert (back["status"], back["unallocated_pence"], back["allocated_pence"]) == ("reversed", 0, 0)
    statuses = [(await office.ask(f"receivables/{each['id']}"))["status"] for each in (late, soon)]
    assert statuses == ["overdue", "open"]
    assert [each.status for each in await office.service.published(ReceiptReversedV1)] == ["overdue", "open"]
    again = await office.tell(f"receipts/{receipt['id']}/reversals", {"reason": "again"}, status=409)
    assert again["code"] == "illegal-move"
    history = await office.ask(f"receipts/{receipt['id']}/history")
    assert [each["action"] for each in history] == ["received", "reversed"]
    await office.books_agree()


async def test_receipts_in_bulk_see_what_the_line_before_paid(office) -> None:
    customer = await office.customer()
    receivable = await office.receivable(customer, 100_00, due_on=DUE)
    first = office.receipt_body(60_00, payer_reference=receivable["number"])
    second = office.receipt_body(60_00, payer_reference=receivable["number"])
    wish = {"receivable_id": receivable["id"], "amount_pence": 1}
    third = office.receipt_body(60_00, allocations=[wish])
    stranger = office.receipt_body(1, customer_id=str(new_id()))
    future = office.receipt_body(1, received_on="2026-03-12")
    other = {**first, "amount_pence": 61_00}
    items = [first, second, third, stranger, future, {"amount_pence": "1"}, first, other]
    answer = await office.tell("receipts/bulk", {"items": items}, client=office.erp, status=200)
    outcomes = [(each["outcome"], each["code"]) for each in answer["items"]]
    assert outcomes == [
        ("created", None),
        ("created", None),
        ("refused", "over-allocated"),
        ("refused", "customer-not-found"),
        ("refused", "date-in-future"),
        ("refused", "malformed"),
        ("existing", None),
        ("refused", "source-reused"),
    ]
    found = (await office.ask("receipts", receivable_id=receivable["id"]))["items"]
    assert sorted(each["allocated_pence"] for each in found) == [40_00, 60_00]
    await office.books_agree()


def an_owed(pence: int, *, due_on: date = DUE, number: str = "R1") -> Owed:
    return Owed(new_id(), new_id(), number, "bins", DUE, due_on, 1, pence, 0, pence, Status.OPEN, None, None)


amounts = st.lists(st.integers(1, 500), min_size=1, max_size=8)


@given(amount=st.integers(1, 2_000), owed=amounts, quoted=st.integers(0, 8), data=st.data())
def test_shares_sum_to_no_more_than_the_receipt_in_whatever_order(
    amount: int, owed: list[int], quoted: int, data: st.DataObject
) -> None:
    debts = [an_owed(pence, due_on=DUE + timedelta(days=n), number=f"R{n}") for n, pence in enumerate(owed)]
    shuffled = data.draw(st.permutations(debts))
    first = shares(amount, quoted=debts[:quoted], of_customer=debts)
    second = shares(amount, quoted=debts[:quoted], of_customer=shuffled)
    assert [(each.owed.id, each.amount_pence, each.basis) for each in first] == [
        (each.owed.id, each.amount_pence, each.basis) for each in second
    ]
    assert sum(each.amount_pence for each in first) == min(amount, sum(owed))
    assert all(0 < each.amount_pence <= each.owed.outstanding_pence for each in first)
    assert len({each.owed.id for each in first}) == len(first)
    bases = [each.basis for each in first]
    assert bases == sorted(bases, key=[Basis.QUOTED_REFERENCE, Basis.SAME_AMOUNT, Basis.OLDEST_DUE].index)


steps = st.lists(
    st.tuples(
        st.sampled_from(["raise", "raise", "receive", "receive", "quote", "allocate", "cancel", "reverse", "next day"]),
        st.integers(1, 300),
        st.integers(0, 30),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
async def test_books_agree_after_whatever_happens(office, story: list[tuple[str, int, int]]) -> None:
    customer = await office.customer()
    raised: list[Any] = []
    received: list[Any] = []
    for what, pence, pick in story:
        today = office.service.now.date()
        if what == "raise":
            vat = pence // 6
            line = {"description": "x", "net_pence": pence - vat, "vat_rate": "20", "vat_pence": vat}
            raised.append(await office.receivable(customer, pence, due_on=today + timedelta(days=pick), lines=[line]))
        elif what == "receive":
            received.append(await office.receipt(pence, customer_id=customer["id"]))
        elif what == "quote" and raised:
            received.append(await office.receipt(pence, payer_reference=raised[pick % len(raised)]["number"]))
        elif what == "allocate" and raised and received:
            wish = {"receivable_id": raised[pick % len(raised)]["id"], "amount_pence": pence}
            path = f"/v1/receipts/{received[pick % len(received)]['id']}/allocations"
            assert (await office.officer.post(path, json={"allocations": [wish]})).status_code in {201, 409}
        elif what == "cancel" and raised:
            path = f"/v1/receivables/{raised[pick % len(raised)]['id']}/cancellations"
            assert (await office.officer.post(path, json={"reason": "x"})).status_code in {201, 409}
        elif what == "reverse" and received:
            path = f"/v1/receipts/{received[pick % len(received)]['id']}/reversals"
            assert (await office.officer.post(path, json={"reason": "x"})).status_code in {201, 409}
        elif what == "next day":
            office.on(today + timedelta(days=1))
            await office.tell("receivables/overdue-markings", {"as_at": str(today + timedelta(days=1))})
    await office.books_agree()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO journal_line VALUES (:entry, 3, 'bank', 1)",
        "UPDATE journal_line SET amount_pence = amount_pence + 1",
        "DELETE FROM journal_entry",
        "UPDATE receivable SET outstanding_pence = gross_pence + 1, status = 'open'",
        "UPDATE receivable SET outstanding_pence = 0",
    ],
)
async def test_the_database_refuses_wrong_books(office, statement: str) -> None:
    raised = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    [entry] = (await office.ask("journal", receivable_id=raised["id"]))["items"]
    with pytest.raises(DBAPIError):
        async with office.service.runtime.sessions.begin() as session:
            await session.execute(text(statement), {"entry": entry["id"]} if ":entry" in statement else {})
    await office.books_agree()
