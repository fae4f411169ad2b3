"""What a receipt is set against when no allocation names it, and what stays on account."""

from datetime import date, timedelta

import pytest
from council_common.contracts.debts import ReceiptAllocatedV1, ReceivableSettledV1
from council_common.ids import new_id
from debt_service.cash.receipts.rules import plan_quoted, plan_unquoted
from debt_service.ledger.receivables.rules import OpenItem, ReceivableStatus
from hypothesis import given
from hypothesis import strategies as st

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


async def test_money_of_an_unknown_payer_is_suspense(office) -> None:
    receipt = await office.receipt(12_34, payer_reference="HAPPY BIRTHDAY")
    assert (receipt["allocations"], receipt["unallocated_pence"], receipt["customer_id"]) == ([], 12_34, None)
    assert receipt["on_account_reason"] == "payer_unknown"
    report = await office.get("reports/aged-debt", by="customer")
    assert report["total"]["unallocated_pence"] == 12_34
    assert report["rows"][0]["key"] == "unidentified"
    assert len((await office.get("receipts", unallocated=True))["items"]) == 1


@pytest.mark.parametrize("number", ["2026", "MARCH", "1", "A2026"])
async def test_any_word_is_no_reference(office, number: str) -> None:
    """ "RENT MARCH 2026" of one customer pays nothing of another, whatever its number."""
    strangers = await office.receivable(await office.customer(), 10_00, due_on=DUE, number=number)
    payer = await office.customer()
    receipt = await office.receipt(10_00, payer_reference="RENT MARCH 2026 1 A2026", customer_id=payer["id"])
    assert (receipt["allocations"], receipt["unallocated_pence"]) == ([], 10_00)
    assert (await office.get(f"receivables/{strangers['id']}"))["outstanding_pence"] == 10_00
    unnamed = await office.receipt(10_00, payer_reference="RENT MARCH 2026 1")
    assert (unnamed["allocations"], unnamed["customer_id"]) == ([], None)


@pytest.mark.parametrize("names_payer", [True, False])
async def test_what_is_left_of_a_quoted_invoice_stays_on_account(office, names_payer: bool) -> None:
    """150.00 that quotes 100.00 of rent pays no bins: the rest stays on account."""
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
    """A daughter who owes 100.00 pays her father's 100.00: neither debt is settled before an officer decides."""
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
    """A payment of housing costs never pays another type of debt without an officer."""
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


def an_open_item(pence: int, *, due_on: date = DUE, number: str = "R1", debt_type: str = "sundry") -> OpenItem:
    return OpenItem(
        new_id(), PAYER, number, "bins", debt_type, DUE, due_on, 1, pence, 0, pence, ReceivableStatus.OPEN, None, None
    )


PAYER = new_id()
amounts = st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["sundry", "rent"])), min_size=1, max_size=8)


@given(amount=st.integers(1, 2_000), owed=amounts, quoted=st.booleans(), data=st.data())
def test_lines_sum_to_no_more_than_the_receipt_in_any_order(
    amount: int, owed: list[tuple[int, str]], quoted: bool, data: st.DataObject
) -> None:
    debts = [
        an_open_item(pence, due_on=DUE + timedelta(days=n), number=f"R{n}", debt_type=debt_type)
        for n, (pence, debt_type) in enumerate(owed)
    ]
    planned = plan_quoted if quoted else plan_unquoted
    first = planned(amount, debts, customer_id=PAYER)
    assert planned(amount, data.draw(st.permutations(debts)), customer_id=PAYER) == first
    paid = first.lines
    assert all(0 < line.amount_pence <= line.item.outstanding_pence for line in paid)
    assert len({line.item.id for line in paid}) == len(paid)
    if quoted:
        assert sum(line.amount_pence for line in paid) == min(amount, sum(pence for pence, _ in owed))
    else:
        assert len({line.item.debt_type for line in paid}) <= 1
        assert sum(line.amount_pence for line in paid) <= amount
