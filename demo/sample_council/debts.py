"""Who owes the council money, what they were charged, and what they paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from demo.sample_council import people
from demo.sample_council.buying import working_day_in
from demo.sample_council.days import Month, next_working_day
from demo.sample_council.facts import Customer, DebtStories, Line, Receipt, Receivable

CUSTOMERS = 300
RECEIVABLES = 900
TERM = timedelta(days=30)

_KINDS = ("individual", "individual", "individual", "sole_trader", "business", "business", "public_body")
# Positions whose charges have a story; all fell due long before the first dunning run and were never paid in full.
STORIES = DebtStories(disputed="R0000101", cancelled="R0000102", left_out_of_first_run="R0000103", part_paid="R0000104")
_UNPAID = {"R0000101", "R0000102", "R0000103", "R0000105", "R0000106"}


def customers(chance: Random) -> tuple[Customer, ...]:
    """300 customers: people, traders, firms, public bodies; three in ten have no e-mail address."""
    return tuple(_customer(chance, number) for number in range(1, CUSTOMERS + 1))


def _customer(chance: Random, number: int) -> Customer:
    kind = _KINDS[number % len(_KINDS)]
    name = people.person_name(chance) if kind in {"individual", "sole_trader"} else f"{people.place(number)} {kind}"
    if kind == "public_body":
        name = f"{people.place(number)} Parish Council"
    elif kind == "business":
        name = f"{people.place(number)} Traders {number} Ltd"
    email: str | None = f"{people.slug(name)}.{number}@post.example"
    if number == 5:
        # Its mailbox is gone: the server refuses the reminder, and every run after names the debt as undeliverable.
        email = "gone@bounce.example"
    elif number != 4 and chance.random() < 0.3:
        email = None
    return Customer(
        reference=f"C{number:04d}",
        kind=kind,
        name=name,
        email=email,
        preferred_channel="email" if email else "letter",
        address=people.street_address(chance, number),
        postcode=people.postcode(chance),
    )


def receivables(chance: Random, month: Month, known: tuple[Customer, ...]) -> tuple[Receivable, ...]:
    """900 charges, each due thirty days after its day of issue."""
    return tuple(_receivable(chance, month, position, known) for position in range(1, RECEIVABLES + 1))


def _receivable(chance: Random, month: Month, position: int, known: tuple[Customer, ...]) -> Receivable:
    number = f"R{position:07d}"
    issued_on = working_day_in(chance, month.first_issue, month.last_issue)
    customer = known[chance.randrange(len(known))]
    if 101 <= position <= 106:
        issued_on, customer = next_working_day(month.first_issue), known[position - 101]
    department = chance.choice(people.DEPARTMENTS_THAT_CHARGE)
    net = chance.randint(25_00, 1_800_00)
    rate = "20" if department in {"commercial_waste", "markets"} else "0"
    vat = (net * int(rate) * 2 + 100) // 200
    line = Line(f"Charge {number}", net, rate, vat, department)
    return Receivable(f"A{position:05d}", number, customer, department, issued_on, issued_on + TERM, (line,))


def receipts(chance: Random, month: Month, charged: tuple[Receivable, ...]) -> tuple[Receipt, ...]:
    """What came in by the month's end: most in full, one in ten in part, one that cannot be placed."""
    found = [*_payments(chance, month, charged), _unmatched(month)]
    return tuple(sorted(found, key=lambda one: (one.received_on, one.reference)))


def _payments(chance: Random, month: Month, charged: tuple[Receivable, ...]) -> Iterator[Receipt]:
    for position, receivable in enumerate(charged, start=1):
        paid_on = next_working_day(receivable.due_on + timedelta(days=chance.randint(-12, 38)))
        part = receivable.number == STORIES.part_paid or chance.random() < 0.1
        never = chance.random() < 0.12
        if receivable.number == STORIES.part_paid:
            never, paid_on = False, month.working_days_before(18)
        if never or receivable.number in _UNPAID or paid_on > month.last_working_day:
            continue
        amount = receivable.gross_pence // 3 if part else receivable.gross_pence
        # Most payers quote the number; some write a sentence round it.
        quotes = f"invoice {receivable.number.lower()}, thank you" if position % 5 == 0 else receivable.number
        yield Receipt(f"B{position:05d}", paid_on, amount, quotes, receivable.number)


def _unmatched(month: Month) -> Receipt:
    return Receipt("B99999", month.working_days_before(13), 12_345, "for the thing in january", None)
