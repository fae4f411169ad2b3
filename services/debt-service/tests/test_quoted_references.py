"""What payers quote: read whole where it can be read, and otherwise an officer's; it never pays another debt."""

from datetime import date, timedelta
from typing import Any

import pytest
from debt_service.cash.receipts.quoting import possible_numbers, read_quoted
from hypothesis import given
from hypothesis import strategies as st

DUE = date(2026, 3, 20)
A, B = "R0000123", "R0000124"


async def _three_debts(office) -> tuple[Any, dict[str, Any]]:
    """R1: a payer owes £50 of long ago, £100 and £70."""
    payer = await office.customer()
    debts = {
        "old": await office.receivable(payer, 50_00, due_on=DUE - timedelta(days=90)),
        A: await office.receivable(payer, 100_00, due_on=DUE, number=A),
        B: await office.receivable(payer, 70_00, due_on=DUE, number=B),
    }
    return payer, debts


async def _still_owed(office, debts: dict[str, Any]) -> list[int]:
    return [(await office.get(f"receivables/{debt['id']}"))["outstanding_pence"] for debt in debts.values()]


def _full_width(words: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) for sign in words)


@pytest.mark.parametrize(
    ("quoted", "left"),
    [
        (f"{A}/{B}", [50_00, 0, 0]),
        (f"{A} / {B}", [50_00, 0, 0]),
        (f"{A}-{B}", [50_00, 0, 0]),
        (f"{A}+{B}", [50_00, 0, 0]),
        (f"{A},{B}", [50_00, 0, 0]),
        (f"INV/{A}", [50_00, 0, 70_00]),
        (f"INV-{A}", [50_00, 0, 70_00]),
        (f"INV{A}", [50_00, 0, 70_00]),
        (f"SMITH/{A}", [50_00, 0, 70_00]),
        (f"{A}/", [50_00, 0, 70_00]),
        (f"{A}-", [50_00, 0, 70_00]),
        (f"{A}-30NOV", [50_00, 0, 70_00]),
        (f"{A} 170.00", [50_00, 0, 70_00]),
        ("R 0000123", [50_00, 0, 70_00]),
        ("R-0000123", [50_00, 0, 70_00]),
        ("r 0000 123", [50_00, 0, 70_00]),
        (f"{A[:4]}\u200b{A[4:]}", [50_00, 0, 70_00]),
        (f"\ufeff{A}\u00ad\u2060/{B}", [50_00, 0, 0]),
        (_full_width(f"{A}/{B}"), [50_00, 0, 0]),
        (f"{A}–30 November 2026", [50_00, 0, 70_00]),
    ],
)
async def test_r1_what_is_quoted_is_paid_and_nothing_else(office, quoted: str, left: list[int]) -> None:
    payer, debts = await _three_debts(office)
    receipt = await office.receipt(170_00, payer_reference=quoted, customer_id=payer["id"])
    assert await _still_owed(office, debts) == left
    assert {allocation["basis"] for allocation in receipt["allocations"]} == {"quoted_reference"}
    assert receipt["payer_reference"] == quoted
    assert receipt["on_account_reason"] == ("more_than_quoted" if left[2] else None)
    await office.check_books()


@pytest.mark.parametrize("quoted", ["A/B", "INV/A", "INV-A", "SMITH/A", "A/", "A-", "A-30NOV", _full_width("A/B")])
async def test_r1_a_known_payers_own_numbers_are_read_whatever_their_form(office, quoted: str) -> None:
    """The letters of the case itself: a word names the payer's own debt of that number, and no stranger's."""
    payer = await office.customer()
    for number, pence in (("OLD", 50_00), ("A", 100_00), ("B", 70_00)):
        await office.receivable(payer, pence, due_on=DUE - timedelta(days=len(number)), number=number)
    await office.receivable(await office.customer(), 100_00, due_on=DUE, number="SMITH")
    receipt = await office.receipt(170_00, payer_reference=quoted, customer_id=payer["id"])
    paid = {allocation["amount_pence"] for allocation in receipt["allocations"]}
    assert paid == ({100_00, 70_00} if len(quoted) == 3 else {100_00})


@pytest.mark.parametrize(
    "quoted", ["R0000132", "R 0000132", "INV-XY", "INV 42", "RR0000123", "0000123", "R0000123X", "12 345 678"]
)
async def test_r1_what_cannot_be_read_pays_nothing(office, quoted: str) -> None:
    """A mistyped number: on account of a known payer, else in suspense; an officer sees why."""
    payer, debts = await _three_debts(office)
    for named in ({"customer_id": payer["id"]}, {}):
        receipt = await office.receipt(50_00, payer_reference=quoted, **named)
        assert (receipt["allocations"], receipt["unallocated_pence"]) == ([], 50_00)
        assert receipt["on_account_reason"] == "reference_unreadable"
        assert receipt["customer_id"] == named.get("customer_id")
    assert await _still_owed(office, debts) == [50_00, 100_00, 70_00]
    assert len((await office.get("receipts", on_account_reason="reference_unreadable"))["items"]) == 2


@pytest.mark.parametrize(("quoted", "left"), [(f"{A}/{B}", [50_00, 0, 0]), ("R 0000123", [50_00, 0, 70_00])])
async def test_r1_what_an_unknown_payer_quotes_is_read_alike(office, quoted: str, left: list[int]) -> None:
    payer, debts = await _three_debts(office)
    receipt = await office.receipt(170_00, payer_reference=quoted)
    assert (await _still_owed(office, debts), receipt["customer_id"]) == (left, payer["id"])


async def test_what_is_read_beside_what_is_not_is_paid_and_the_rest_says_why(office) -> None:
    payer, debts = await _three_debts(office)
    receipt = await office.receipt(170_00, payer_reference=f"{A} R0000142", customer_id=payer["id"])
    assert await _still_owed(office, debts) == [50_00, 0, 70_00]
    assert (receipt["unallocated_pence"], receipt["on_account_reason"]) == (70_00, "reference_unreadable")


@pytest.mark.parametrize(
    "words", ["RENT MARCH 2026", "thank you", "30/11/2026", "£50.00", "4000777", "Flat 12 NR9 4AB"]
)
async def test_words_that_quote_nothing_still_pay_a_known_payers_oldest(office, words: str) -> None:
    """Days, amounts, house numbers and the payer's own customer reference are no numbers of debts."""
    payer = await office.customer(source={"system": "erp", "reference": "4000777"})
    debt = await office.receivable(payer, 60_00, due_on=DUE)
    receipt = await office.receipt(50_00, payer_reference=words, customer_id=payer["id"])
    assert [allocation["receivable_id"] for allocation in receipt["allocations"]] == [debt["id"]]


numbers = st.from_regex(r"[A-Z]{1,3}[0-9]{5,8}", fullmatch=True)
joints = st.sampled_from(["/", "-", " ", ", ", " - ", "\u200b/", "／", "&", " and "])


@given(said=st.lists(numbers, min_size=1, max_size=4, unique=True), data=st.data())
def test_numbers_joined_in_any_way_are_read_whole_and_in_order(said: list[str], data: st.DataObject) -> None:
    words = said[0] + "".join(data.draw(joints) + number for number in said[1:])
    assert set(said) <= possible_numbers(words)
    assert read_quoted(words, set(said).__contains__).numbers == tuple(said)


@given(said=numbers, other=numbers)
def test_a_number_is_never_read_as_part_of_another(said: str, other: str) -> None:
    read = read_quoted(f"{said}{other[-3:]}", {said}.__contains__)
    assert (read.numbers, read.is_unreadable) == ((), True)


@given(st.text(max_size=200))
def test_any_words_are_read_without_fault_and_with_bounded_work(words: str) -> None:
    assert len(possible_numbers(words)) <= 60 * 4 * 4
    assert read_quoted(words, lambda _: False).numbers == ()
