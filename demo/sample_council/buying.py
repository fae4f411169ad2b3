"""Who the council buys from, and the invoices that came in for the month with their payments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from demo.sample_council import people
from demo.sample_council.days import Month, arrival, next_working_day
from demo.sample_council.facts import Fate, Invoice, Line, Payment, Supplier, Terms, Way

SUPPLIERS = 120
IN_THE_PROGRAMME = 45
INVOICES = 1_000
BY_FILE = {Way.NDJSON: 210, Way.CSV: 120, Way.XLSX: 60}

_RATES = ("20", "20", "20", "5", "0")
# The agreements that are not the council model of 1.00 % on day 10.
_OTHER_TERMS = {
    3: Terms(clock_end="funds_arrival"),
    5: Terms(vat_mode="net_only"),
    7: Terms(reference_rate_percent="1.25"),
    11: Terms(reference_rate_percent="0.75", target_day=7),
    13: Terms(rebate_base="gross"),
    17: Terms(reference_rate_percent="2.00", target_day=14, term_days=45),
    19: Terms(clock_end="funds_arrival", vat_mode="net_only", reference_rate_percent="0.85"),
    23: Terms(rebate_base="gross", vat_mode="net_only"),
    29: Terms(collection="claim"),
    31: Terms(clock_start="valid_invoice"),
}
# Special fates by position; the stories need a supplier inside (or outside) the programme, one line at 20 %.
_INSIDE = {
    20: Fate.PART_PAID_TWICE,
    40: Fate.RETURNED_AND_REPAID,
    60: Fate.UNDER_DEDUCTED,
    100: Fate.DISPUTED,
    200: Fate.PAID_AFTER_FALSE_ALARM,
}
_OUTSIDE = {30: Fate.PART_PAID_TWICE, 50: Fate.DUPLICATE, 120: Fate.DISPUTED, 180: Fate.WAITS_FOR_NEW_ACCOUNT}


def suppliers(chance: Random) -> tuple[Supplier, ...]:
    """120 suppliers; the first 45 are in the programme."""
    return tuple(_supplier(chance, number) for number in range(1, SUPPLIERS + 1))


def _supplier(chance: Random, number: int) -> Supplier:
    sector = people.SECTORS[number % len(people.SECTORS)][0]
    name = people.firm_name(chance, sector, number)
    # One mailbox that no longer exists: the mail server refuses it, and the log has to say so.
    domain = "bounce.example" if number == 9 else f"{people.slug(name)}.example"
    return Supplier(
        reference=f"S{number:04d}",
        name=name,
        sector=sector,
        email=f"accounts@{domain}",
        phone=f"01632 96{number:04d}",
        company_number=f"99{chance.randint(100_000, 999_999)}",
        vat_number=people.vat_number(chance),
        sort_code=f"99-{number // 100:02d}-{number % 100:02d}",
        account_number=str(chance.randint(10_000_000, 99_999_999)),
        address=people.street_address(chance, number),
        postcode=people.postcode(chance),
        terms=_OTHER_TERMS.get(number, Terms()) if number <= IN_THE_PROGRAMME else None,
    )


def invoices(chance: Random, month: Month, known: tuple[Supplier, ...]) -> tuple[Invoice, ...]:
    """1,000 invoices; six in ten come from suppliers in the programme."""
    inside, outside = known[:IN_THE_PROGRAMME], known[IN_THE_PROGRAMME:]
    ways = _ways()
    made: list[Invoice] = []
    for position in range(1, INVOICES + 1):
        fate = _INSIDE.get(position) or _OUTSIDE.get(position)
        if fate is Fate.DUPLICATE:
            made.append(_sent_again(made[position - 21], position))
        elif fate is None:
            supplier = chance.choice(inside if chance.random() < 0.6 else outside)
            made.append(_ordinary(chance, month, position, supplier, next(ways)))
        else:
            # Suppliers of their own: what holds one of their invoices must not hold an ordinary one.
            of = inside[position // 20 - 1] if position in _INSIDE else outside[-(position // 10) :][0]
            made.append(_special(chance, month, position, of, fate))
    held = {one.supplier.reference for one in made if one.fate is Fate.WAITS_FOR_NEW_ACCOUNT}
    return tuple(_waiting(one) if one.supplier.reference in held else one for one in made)


def _ways() -> Iterator[Way]:
    for way, count in BY_FILE.items():
        yield from [way] * count
    while True:
        yield Way.POST


def _ordinary(chance: Random, month: Month, position: int, supplier: Supplier, way: Way) -> Invoice:
    received_on = working_day_in(chance, month.first_receipt, month.last_receipt)
    # Files carry one line an invoice.
    count = chance.choice((1, 1, 2, 3)) if way is Way.POST else 1
    lines = tuple(_line(chance, month, chance.choice(_RATES)) for _ in range(count))
    days = _days_to_pay(chance, supplier)
    remitted_on = next_working_day(received_on + timedelta(days=days))
    # Approving takes days: of the last week's invoices most wait for it.
    paid_later = remitted_on > month.last_working_day
    if chance.random() < (0.6 if received_on > month.last_approved_receipt and paid_later else 0.02):
        return _invoice(position, supplier, received_on, lines, fate=Fate.RECEIVED, way=way)
    if paid_later:
        return _invoice(position, supplier, received_on, lines, fate=Fate.APPROVED, way=way)
    return _invoice(position, supplier, received_on, lines, fate=Fate.PAID, way=way, paid_on=(remitted_on,))


def _days_to_pay(chance: Random, supplier: Supplier) -> int:
    """Suppliers in the programme are paid early; one in thirty late, which earns nothing."""
    if chance.random() < 1 / 30:
        return chance.randint(31, 42)
    return chance.randint(3, 16) if supplier.terms else chance.randint(18, 30)


def _special(chance: Random, month: Month, position: int, supplier: Supplier, fate: Fate) -> Invoice:
    """A story's invoice: one line at 20 %, so that half of it is half of its VAT as well."""
    day = month.working_days_before
    lines = (Line("Works as ordered", chance.randint(1_000, 9_000) * 100, "20", 0, chance.choice(people.DEPARTMENTS)),)
    lines = (Line(lines[0].description, lines[0].net_pence, "20", lines[0].net_pence // 5, lines[0].department),)
    paid_on = {
        Fate.PART_PAID_TWICE: (day(14), day(6)),
        Fate.RETURNED_AND_REPAID: (day(15), day(9)),
        Fate.UNDER_DEDUCTED: (day(14),),
        Fate.PAID_AFTER_FALSE_ALARM: (day(8),),
        Fate.WAITS_FOR_NEW_ACCOUNT: (),
        Fate.DISPUTED: (),
    }[fate]
    return _invoice(position, supplier, day(21), lines, fate=fate, paid_on=paid_on)


def _sent_again(first: Invoice, position: int) -> Invoice:
    """The same invoice a second time, under another reference and with its number spelled otherwise."""
    number = first.number.lower().replace("-", " ")
    again = _invoice(position, first.supplier, first.received_on, first.lines, fate=Fate.DUPLICATE)
    return replace(again, number=number, issued_on=first.issued_on)


def _waiting(invoice: Invoice) -> Invoice:
    """Nothing is paid to a supplier whose bank account is in question."""
    return replace(invoice, fate=Fate.WAITS_FOR_NEW_ACCOUNT, payments=())


def _invoice(
    position: int,
    supplier: Supplier,
    received_on: date,
    lines: tuple[Line, ...],
    *,
    fate: Fate,
    way: Way = Way.POST,
    paid_on: tuple[date, ...] = (),
) -> Invoice:
    gross = sum(line.net_pence + line.vat_pence for line in lines)
    halves = fate is Fate.PART_PAID_TWICE
    payments = tuple(
        Payment(f"P{position:05d}-{turn}", day, arrival(day), gross // 2 if halves else gross)
        for turn, day in enumerate(paid_on, start=1)
    )
    issued_on = received_on - timedelta(days=position % 4)
    number = f"{supplier.reference}-{position:05d}"
    return Invoice(f"D{position:05d}", supplier, number, issued_on, received_on, lines, way, fate, payments)


def _line(chance: Random, month: Month, vat_rate: str) -> Line:
    net = chance.randint(20_00, 9_000_00)
    # Half up to the penny, as a supplier's own system does it.
    vat = (net * int(vat_rate) * 2 + 100) // 200
    what = chance.choice(("Services", "Materials", "Call-out", "Placement", "Licence", "Hire"))
    return Line(f"{what}, {chance.choice(month.names)}", net, vat_rate, vat,
                chance.choice(people.DEPARTMENTS))  # fmt: skip


def working_day_in(chance: Random, first: date, last: date) -> date:
    """Some working day of a period."""
    return next_working_day(first + timedelta(days=chance.randint(0, (last - first).days - 3)))
