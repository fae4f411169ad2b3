"""Receipts set against debts, and books that always agree."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.debts import ReceiptAllocatedV1, ReceiptReversedV1, ReceivableSettledV1
from council_common.ids import new_id
from debt_service.cash.receipts.rules import plan_quoted, plan_unquoted
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus
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
    assert (await office.get(f"receivables/{quoted['id']}"))["status"] == "settled"
    assert (await office.get(f"receivables/{older['id']}"))["outstanding_pence"] == 100_00
    [allocated] = await office.service.published(ReceiptAllocatedV1)
    [settled] = await office.service.published(ReceivableSettledV1)
    assert (allocated.version, settled.version, allocated.basis) == (2, 3, "quoted_reference")
    await office.check_books()


async def test_then_the_same_amount_then_the_oldest_and_the_rest_stays_on_account(office) -> None:
    customer = await office.customer()
    oldest = await office.receivable(customer, 70_00, due_on=DUE - timedelta(days=9))
    same = await office.receivable(customer, 50_00, due_on=DUE)
    first = await office.receipt(50_00, customer_id=customer["id"])
    assert [(allocation["receivable_id"], allocation["basis"]) for allocation in first["allocations"]] == [
        (same["id"], "same_amount")
    ]
    second = await office.receipt(90_00, customer_id=customer["id"])
    assert [(allocation["receivable_id"], allocation["basis"]) for allocation in second["allocations"]] == [
        (oldest["id"], "oldest_due")
    ]
    assert second["unallocated_pence"] == 20_00
    later = await office.receivable(customer, 30_00, due_on=DUE)
    by_hand = {"allocations": [{"number": later["number"], "amount_pence": 20_00}]}
    done = await office.post(f"receipts/{second['id']}/allocations", by_hand)
    assert (done["unallocated_pence"], done["allocations"][-1]["basis"]) == (0, "by_hand")
    too_much = await office.post(f"receipts/{second['id']}/allocations", by_hand, status=409)
    assert too_much["code"] == "not-enough-left"
    await office.check_books()


async def test_money_from_nobody_is_suspense(office) -> None:
    receipt = await office.receipt(12_34, payer_reference="HAPPY BIRTHDAY")
    assert (receipt["allocations"], receipt["unallocated_pence"], receipt["customer_id"]) == ([], 12_34, None)
    assert receipt["on_account_reason"] == "payer_unknown"
    report = await office.get("reports/aged-debt", by="customer")
    assert report["total"]["unallocated_pence"] == 12_34
    assert report["rows"][0]["key"] == "unidentified"
    assert len((await office.get("receipts", unallocated=True))["items"]) == 1


async def test_r1_an_explicit_split(office) -> None:
    """Tryton account_statement R1: 180 tied to the invoice of 100, then to that of 150: 100 + 80, 70 left to pay.

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


async def test_r2_over_allocation_is_refused(office) -> None:
    """Tryton R2: the left-over tied to a covered bill allocates nothing and stays; asked for by name we refuse.

    Whoever owed the covered bill has the money on account: it is nobody's suspense.
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


async def test_a_receipt_that_comes_back_reopens_what_it_paid(office) -> None:
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
    history = await office.get(f"receipts/{receipt['id']}/history")
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
        ("refused", "source-reused"),
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
    """It was answered with the id of a receipt that had been taken out again: money recorded nowhere."""
    receivable = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    request = {"receivable_id": receivable["id"], "amount_pence": 20_00}
    line = office.receipt_body(20_00, allocations=[request])
    items = [line, line, {**line, "allocations": []}]
    answer = await office.post("receipts/bulk", {"items": items}, client=office.erp, status=200)
    assert (answer["created"], answer["existing"], answer["refused"]) == (0, 0, 3)
    assert [(line["line"], line["id"], line["code"]) for line in answer["items"]] == [
        (line, None, "over-allocated") for line in (1, 2, 3)
    ]
    # Corrected and told again it is taken.
    answer = await office.post("receipts/bulk", {"items": items[2:]}, client=office.erp, status=200)
    assert (await office.get(f"receipts/{answer['items'][0]['id']}"))["amount_pence"] == 20_00
    await office.check_books()


async def test_a_receipt_told_again_with_other_content_is_refused(office) -> None:
    customer = await office.customer()
    receivable = await office.receivable(customer, 10_00, due_on=DUE)
    body = office.receipt_body(10_00, payer_reference="FOR THE BINS")
    first = await office.post("receipts", body, client=office.erp)
    assert (await office.post("receipts", body, client=office.erp, status=200))["id"] == first["id"]
    request = {"receivable_id": receivable["id"], "amount_pence": 10_00}
    for other in ({"customer_id": customer["id"]}, {"allocations": [request]}, {"payer_reference": None}):
        refused = await office.post("receipts", {**body, **other}, client=office.erp, status=409)
        assert refused["code"] == "source-reused"
    # Whose it is, found out since, does not change what was told.
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
    # What came back no longer counts.
    await office.post(f"receipts/{late['id']}/reversals", {"reason": "refer_to_payer"})
    await office.receipt(60_00, payer_reference=receivable["number"], received_on="2026-03-05")
    assert (await office.get(f"receivables/{receivable['id']}"))["settled_on"] == "2026-03-05"


@pytest.mark.parametrize("number", ["2026", "MARCH", "1", "A2026"])
async def test_any_word_is_no_reference(office, number: str) -> None:
    """ "RENT MARCH 2026" of one customer pays nothing of another, whatever that is numbered."""
    strangers = await office.receivable(await office.customer(), 10_00, due_on=DUE, number=number)
    payer = await office.customer()
    receipt = await office.receipt(10_00, payer_reference="RENT MARCH 2026 1 A2026", customer_id=payer["id"])
    assert (receipt["allocations"], receipt["unallocated_pence"]) == ([], 10_00)
    assert (await office.get(f"receivables/{strangers['id']}"))["outstanding_pence"] == 10_00
    nobodys = await office.receipt(10_00, payer_reference="RENT MARCH 2026 1")
    assert (nobodys["allocations"], nobodys["customer_id"]) == ([], None)


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


@pytest.mark.parametrize("names_payer", [True, False])
async def test_what_is_left_of_a_quoted_invoice_stays_on_account(office, names_payer: bool) -> None:
    """receivables.md §4 step 4: "auto part-payment or on-account"; 150.00 quoting 100.00 of rent pays no bins."""
    customer = await office.customer()
    rent = await office.receivable(customer, 100_00, due_on=DUE, debt_type="rent")
    bins = await office.receivable(customer, 70_00, due_on=DUE)
    more_rent = await office.receivable(customer, 50_00, due_on=DUE, debt_type="rent")
    payer = {"customer_id": customer["id"]} if names_payer else {}
    receipt = await office.receipt(150_00, payer_reference=rent["number"], **payer)
    assert [(allocation["receivable_id"], allocation["amount_pence"]) for allocation in receipt["allocations"]] == [
        (rent["id"], 100_00)
    ]
    assert (receipt["customer_id"], receipt["unallocated_pence"]) == (customer["id"], 50_00)
    assert receipt["on_account_reason"] == "more_than_quoted"
    # Paid twice: theirs to have back.
    twice = await office.receipt(70_00, payer_reference=rent["number"], **payer)
    assert (twice["allocations"], twice["on_account_reason"]) == ([], "quoted_owes_nothing")
    # An officer decides; then nothing is left, and no reason.
    request = {"allocations": [{"receivable_id": bins["id"], "amount_pence": 70_00}]}
    done = await office.post(f"receipts/{twice['id']}/allocations", request)
    assert (done["unallocated_pence"], done["on_account_reason"]) == (0, None)
    assert (await office.get(f"receivables/{more_rent['id']}"))["outstanding_pence"] == 50_00
    await office.check_books()


async def test_a_known_payer_who_quotes_anothers_number_pays_nothing_by_rule(office) -> None:
    """A daughter who owes 100.00 pays her father's 100.00: neither debt is settled before an officer looked."""
    fathers = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    daughter = await office.customer()
    own = await office.receivable(daughter, 100_00, due_on=DUE - timedelta(days=5))
    for words in (fathers["number"], f"{fathers['number']} {own['number']}"):
        receipt = await office.receipt(100_00, payer_reference=words, customer_id=daughter["id"])
        assert (receipt["allocations"], receipt["unallocated_pence"]) == ([], 100_00)
        assert (receipt["customer_id"], receipt["on_account_reason"]) == (daughter["id"], "another_customers_number")
    assert [(await office.get(f"receivables/{debt['id']}"))["outstanding_pence"] for debt in (fathers, own)] == [
        100_00,
        100_00,
    ]
    assert await office.service.published(ReceivableSettledV1) == []
    await office.check_books()


async def test_money_without_a_quote_never_crosses_debt_types(office) -> None:
    """receivables.md §2.9: "Housing-cost payments never cross debt types without an officer"."""
    customer = await office.customer()
    rent = await office.receivable(customer, 100_00, due_on=DUE, debt_type="rent")
    await office.receivable(customer, 70_00, due_on=DUE - timedelta(days=5))
    either = await office.receipt(60_00, customer_id=customer["id"])
    assert (either["allocations"], either["on_account_reason"]) == ([], "several_debt_types")
    # Of the one that owes just this there is one only.
    same = await office.receipt(100_00, customer_id=customer["id"])
    assert [(allocation["receivable_id"], allocation["basis"]) for allocation in same["allocations"]] == [
        (rent["id"], "same_amount")
    ]
    # What is left to pay is of one type.
    rest = await office.receipt(80_00, customer_id=customer["id"])
    assert (rest["allocated_pence"], rest["on_account_reason"]) == (70_00, "nothing_more_owed")
    await office.check_books()


async def test_two_customers_quoted_have_what_they_quote_and_no_more(office) -> None:
    first = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    second = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    receipt = await office.receipt(25_00, payer_reference=f"{first['number']} {second['number']}")
    assert (receipt["customer_id"], receipt["unallocated_pence"]) == (None, 5_00)
    assert receipt["on_account_reason"] == "more_than_quoted"
    await office.check_books()


async def test_suspense_set_against_one_customers_debts_is_theirs(office) -> None:
    customer = await office.customer()
    receivable = await office.receivable(customer, 60_00, due_on=DUE)
    suspense = await office.receipt(100_00)
    requests = {"allocations": [{"receivable_id": receivable["id"], "amount_pence": 60_00}]}
    done = await office.post(f"receipts/{suspense['id']}/allocations", requests)
    assert (done["customer_id"], done["unallocated_pence"]) == (customer["id"], 40_00)
    assert [receipt["id"] for receipt in (await office.get("receipts", customer_id=customer["id"]))["items"]] == [
        done["id"]
    ]
    report = await office.get("reports/aged-debt", by="customer")
    assert [(row["key"], row["unallocated_pence"]) for row in report["rows"]] == [(customer["id"], 40_00)]
    await office.check_books()
    await office.post(f"receipts/{suspense['id']}/reversals", {"reason": "refer_to_payer"})
    await office.check_books()


async def test_every_version_has_its_change(office) -> None:
    office.on(date(2026, 3, 11))
    customer = await office.customer()
    receivable = await office.receivable(customer, 10_00, due_on=date(2026, 3, 1))
    receipt = await office.receipt(10_00, payer_reference=receivable["number"])
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    changes = await office.get(f"receivables/{receivable['id']}/history")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "raised"),
        (2, "paid"),
        (3, "settled"),
        (4, "reopened"),
        (5, "overdue"),
    ]
    assert (await office.get(f"receivables/{receivable['id']}"))["version"] == 5
    changes = await office.get(f"receipts/{receipt['id']}/history")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "received"),
        (2, "allocated"),
        (3, "reversed"),
    ]


def an_open_item(pence: int, *, due_on: date = DUE, number: str = "R1", debt_type: str = "sundry") -> OpenItem:
    return OpenItem(
        new_id(), PAYER, number, "bins", debt_type, DUE, due_on, 1, pence, 0, pence, ReceivableStatus.OPEN, None, None
    )


PAYER = new_id()
amounts = st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["sundry", "rent"])), min_size=1, max_size=8)


@given(amount=st.integers(1, 2_000), owed=amounts, quoted=st.booleans(), data=st.data())
def test_shares_sum_to_no_more_than_the_receipt_in_whatever_order(
    amount: int, owed: list[tuple[int, str]], quoted: bool, data: st.DataObject
) -> None:
    debts = [
        an_open_item(pence, due_on=DUE + timedelta(days=n), number=f"R{n}", debt_type=debt_type)
        for n, (pence, debt_type) in enumerate(owed)
    ]
    planned = plan_quoted if quoted else plan_unquoted
    first = planned(amount, debts, customer_id=PAYER)
    assert planned(amount, data.draw(st.permutations(debts)), customer_id=PAYER) == first
    paid = first.shares
    assert all(0 < line.amount_pence <= line.owed.outstanding_pence for line in paid)
    assert len({line.owed.id for line in paid}) == len(paid)
    if quoted:
        assert sum(line.amount_pence for line in paid) == min(amount, sum(pence for pence, _ in owed))
    else:
        assert len({line.owed.debt_type for line in paid}) <= 1
        assert sum(line.amount_pence for line in paid) <= amount


steps = st.lists(
    st.tuples(
        st.sampled_from(["raise", "raise", "receive", "receive", "quote", "allocate", "cancel", "reverse", "next day"]),
        st.integers(1, 300),
        st.integers(0, 30),
    ),
    min_size=3,
    max_size=14,
)


class Book:
    """Who should owe what: receivables.md §2.9 over again for one customer, as plainly as can be."""

    def __init__(self) -> None:
        self.due: list[tuple[date, str]] = []
        self.owed: dict[str, int] = {}
        self.left: list[int] = []
        self.paid: list[Counter[str] | None] = []  # None: it came back

    def receive(self, pence: int, quoted: str | None = None) -> None:
        self.left.append(pence)
        self.paid.append(Counter())
        if quoted is not None:
            self.pay(-1, quoted, min(pence, self.owed[quoted]))
            return
        oldest = [number for _, number in sorted(self.due)]
        same = [number for number in oldest if self.owed[number] == self.left[-1]]
        for number in (*same[:1], *oldest):
            self.pay(-1, number, min(self.left[-1], self.owed[number]))

    def pay(self, receipt: int, number: str, pence: int) -> bool:
        paid = self.paid[receipt]
        if paid is None or pence > min(self.left[receipt], self.owed[number]):
            return False
        self.left[receipt] -= pence
        self.owed[number] -= pence
        paid[number] += pence
        return True

    def cancel(self, number: str) -> bool:
        owed, self.owed[number] = self.owed[number], 0
        return owed > 0

    def reverse(self, receipt: int) -> bool:
        paid, self.paid[receipt], self.left[receipt] = self.paid[receipt], None, 0
        for number, pence in (paid or {}).items():
            self.owed[number] += pence
        return paid is not None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
async def test_books_agree_after_whatever_happens(office, story: list[tuple[str, int, int]]) -> None:
    customer = await office.customer()
    book = Book()
    raised: list[Any] = []
    received: list[Any] = []
    for what, pence, pick in story:
        today = office.service.now.date()
        debt = raised[pick % len(raised)] if raised else None
        receipt = pick % len(received) if received else None
        if what == "raise":
            vat = pence // 6
            line = {"description": "x", "net_pence": pence - vat, "vat_rate": "20", "vat_pence": vat}
            due_on = today + timedelta(days=pick)
            raised.append(await office.receivable(customer, pence, due_on=due_on, lines=[line]))
            book.due.append((due_on, raised[-1]["number"]))
            book.owed[raised[-1]["number"]] = pence
        elif what == "receive":
            received.append(await office.receipt(pence, customer_id=customer["id"]))
            book.receive(pence)
        elif what == "quote" and debt:
            received.append(await office.receipt(pence, payer_reference=debt["number"]))
            book.receive(pence, debt["number"])
        elif what == "allocate" and debt and receipt is not None:
            request = {"receivable_id": debt["id"], "amount_pence": pence}
            path = f"/v1/receipts/{received[receipt]['id']}/allocations"
            answer = await office.officer.post(path, json={"allocations": [request]})
            assert answer.status_code == (201 if book.pay(receipt, debt["number"], pence) else 409)
        elif what == "cancel" and debt:
            answer = await office.officer.post(f"/v1/receivables/{debt['id']}/cancellations", json={"reason": "other"})
            assert answer.status_code == (201 if book.cancel(debt["number"]) else 409)
        elif what == "reverse" and receipt is not None:
            path = f"/v1/receipts/{received[receipt]['id']}/reversals"
            answer = await office.officer.post(path, json={"reason": "x"})
            assert answer.status_code == (201 if book.reverse(receipt) else 409)
        elif what == "next day":
            office.on(today + timedelta(days=1))
            await office.post("receivables/overdue-markings", {"as_at": str(today + timedelta(days=1))})
    found = await office.all_items("receivables", customer_id=customer["id"])
    assert {debt["number"]: debt["outstanding_pence"] for debt in found} == book.owed
    found = [await office.get(f"receipts/{receipt['id']}") for receipt in received]
    assert [receipt["unallocated_pence"] for receipt in found] == book.left
    await office.check_books()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO journal_line VALUES (:entry, 3, 'bank', 1)",
        # Balanced, and still a change of what is on the books.
        "INSERT INTO journal_line VALUES (:entry, 3, 'bank', 1), (:entry, 4, 'income', -1)",
        "UPDATE journal_entry SET fact = 'receipt_received'",
        "UPDATE journal_line SET amount_pence = amount_pence + 1",
        "DELETE FROM journal_entry",
        "UPDATE receivable SET outstanding_pence = gross_pence + 1, status = 'open'",
        "UPDATE receivable SET outstanding_pence = 0",
    ],
)
async def test_the_database_refuses_wrong_books(office, statement: str) -> None:
    raised = await office.receivable(await office.customer(), 10_00, due_on=DUE)
    [entry] = (await office.get("journal", receivable_id=raised["id"]))["items"]
    with pytest.raises(DBAPIError):
        async with office.service.runtime.sessions.begin() as session:
            await session.execute(text(statement), {"entry": entry["id"]} if ":entry" in statement else {})
    await office.check_books()
