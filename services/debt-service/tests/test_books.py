"""Books that always agree: journal, control account, receivables and receipts."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

DUE = date(2026, 3, 20)


async def test_every_version_has_its_change(office) -> None:
    office.on(date(2026, 3, 11))
    customer = await office.customer()
    receivable = await office.receivable(customer, 10_00, due_on=date(2026, 3, 1))
    receipt = await office.receipt(10_00, payer_reference=receivable["number"])
    await office.post(f"receipts/{receipt['id']}/reversals", {"reason": "refer_to_payer"})
    changes = await office.all_items(f"receivables/{receivable['id']}/history")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "raised"),
        (2, "paid"),
        (3, "settled"),
        (4, "reopened"),
        (5, "overdue"),
    ]
    assert (await office.get(f"receivables/{receivable['id']}"))["version"] == 5
    changes = await office.all_items(f"receipts/{receipt['id']}/history")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "received"),
        (2, "allocated"),
        (3, "reversed"),
    ]


steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("raise", "raise", "receive", "receive", "quote", "allocate", "take back", "cancel", "reverse"),
                "next day",
            ]
        ),
        st.integers(1, 300),
        st.integers(0, 30),
    ),
    min_size=3,
    max_size=14,
)


class Book:
    """What one customer should owe: the rules of allocation restated as plainly as can be."""

    def __init__(self) -> None:
        self.due: list[tuple[date, str]] = []
        self.owed: dict[str, int] = {}
        self.left: list[int] = []
        self.paid: list[Counter[str] | None] = []  # None: reversed

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

    def take_back(self, receipt: int, number: str, pence: int) -> None:
        paid = self.paid[receipt]
        assert paid is not None
        self.left[receipt] += pence
        self.owed[number] += pence
        paid[number] -= pence

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
async def test_books_agree_after_any_story(office, story: list[tuple[str, int, int]]) -> None:
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
        elif what == "take back" and receipt is not None:
            found = await office.get(f"receipts/{received[receipt]['id']}")
            standing = [one for one in found["allocations"] if one["reversed_on"] is None]
            if standing:
                wrong = standing[pence % len(standing)]
                await office.take_back(found, wrong)
                numbers = {one["id"]: one["number"] for one in raised}
                book.take_back(receipt, numbers[wrong["receivable_id"]], wrong["amount_pence"])
        elif what == "cancel" and debt:
            answer = await office.officer.post(
                f"/v1/receivables/{debt['id']}/cancellations",
                json={"reason": "other", "note": "an error"},
            )
            assert answer.status_code == (201 if book.cancel(debt["number"]) else 409)
        elif what == "reverse" and receipt is not None:
            path = f"/v1/receipts/{received[receipt]['id']}/reversals"
            answer = await office.officer.post(path, json={"reason": "x"})
            assert answer.status_code == (201 if book.reverse(receipt) else 200)
        elif what == "next day":
            office.on(today + timedelta(days=1))
            await office.post("receivables/overdue-markings", {"as_at": str(today + timedelta(days=1))}, status=200)
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
