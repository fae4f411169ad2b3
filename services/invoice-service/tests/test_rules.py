from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from council_common.contracts.fields import SourceReference, VatShare
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.errors import IllegalMove
from council_common.events.envelope import seal, unseal
from council_common.identity.actor import Actor
from council_common.money import MAX_PENCE
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports.assembling import NewInvoice, Told, assemble
from invoice_service.intake.invoice_imports.drafts import Refused, invoice_draft, published_draft
from invoice_service.intake.invoice_imports.rules import line_key, occurrence_reference, published_supplier
from invoice_service.paying.payments.rules import slice_of, still_owed
from invoice_service.register.invoices.rules import (
    InvoiceStatus,
    Line,
    due_date,
    move,
    normalised_number,
    pay_by,
    stored_lines,
    vat_shares,
)

TODAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("INV-00123/A", "123A"),  # payables.md §4
        ("123a", "123A"),
        ("Invoice", "OICE"),  # the rule as published: leading INV goes
        ("No. 12", "12"),
        ("INV/NO/0012", "12"),
        ("0000", "0000"),
        ("--", "--"),
        ("é1", "É1"),
        ("INV-\u0410123", "A123"),  # a Cyrillic A
        ("\uff11\uff12\uff13", "123"),  # full width
        ("\u0661\u0660", "10"),  # Arabic digits
    ],
)
def test_normalised_numbers(number: str, key: str) -> None:
    assert normalised_number(number) == key


@given(st.text(min_size=1))
def test_a_normalised_number_is_never_empty(number: str) -> None:
    assert normalised_number(number)


def test_dates_by_law() -> None:
    """Procurement Act 2023 s68(2), payables.md §2.1: received 1 April 2026, to be paid by Thursday 30 April.

    "Payment landing 1 May … breaches s68", also where longer terms were agreed.
    """
    received_on = date(2026, 4, 1)
    for terms in (30, 31, 60):
        assert due_date(received_on, terms) == date(2026, 4, 30)
    assert [due_date(received_on, terms) for terms in (0, 1, 7)] == [received_on, received_on, date(2026, 4, 7)]
    assert pay_by(received_on, due_date(received_on, 7)) == date(2026, 4, 30)
    assert pay_by(received_on, date(2026, 6, 1)) == date(2026, 6, 1)


# README, "States".
MOVES = {
    ("received", "held"), ("received", "approved"), ("received", "rejected"), ("received", "cancelled"),
    ("held", "held"), ("held", "received"), ("held", "approved"), ("held", "scheduled"), ("held", "cancelled"),
    ("approved", "held"), ("approved", "scheduled"), ("approved", "paid"), ("approved", "cancelled"),
    ("scheduled", "held"), ("scheduled", "approved"), ("scheduled", "paid"), ("paid", "approved"),
}  # fmt: skip


@pytest.mark.parametrize("current", InvoiceStatus)
@pytest.mark.parametrize("wanted", InvoiceStatus)
def test_moves(current: InvoiceStatus, wanted: InvoiceStatus) -> None:
    if (current.value, wanted.value) in MOVES:
        assert move(current, wanted) is wanted
    else:
        with pytest.raises(
            IllegalMove, match="already" if current == wanted else f"{current} and cannot become {wanted}"
        ):
            move(current, wanted)


_RATES = st.sampled_from([Decimal(0), Decimal(5), Decimal(20), Decimal("12.5")])
_LINES = st.lists(
    st.builds(Line, st.just(""), st.integers(-(10**9), 10**9), _RATES, st.integers(-(10**9), 10**9)), min_size=1
)


@given(_LINES)
def test_vat_shares_sum_to_the_lines(lines: list[Line]) -> None:
    shares = vat_shares(lines)
    assert sum(share.net_pence for share in shares) == sum(line.net_pence for line in lines)
    assert sum(share.vat_pence for share in shares) == sum(line.vat_pence for line in lines)
    assert len({share.vat_rate for share in shares}) == len(shares)


_POSITIVE = st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**7)), min_size=1, max_size=4)


@given(_POSITIVE, st.lists(st.integers(1, 10**8), max_size=6))
def test_slices_sum_to_payments_and_to_the_invoice(parts: list[tuple[int, int]], payments: list[int]) -> None:
    whole = [VatShare(vat_rate=Decimal(rate), net_pence=net, vat_pence=vat) for rate, (net, vat) in enumerate(parts)]
    left = sum(net + vat for net, vat in parts)
    slices: list[list[VatShare]] = []
    for payment in [*payments, left]:
        settles = min(payment, left)
        if not settles:
            continue
        owed = still_owed(whole, slices)
        cut = slice_of(owed, settles)
        assert sum(share.net_pence + share.vat_pence for share in cut) == settles
        for share, of in zip(cut, owed, strict=True):
            assert 0 <= share.net_pence <= of.net_pence and 0 <= share.vat_pence <= of.vat_pence
        slices.append(cut)
        left -= settles
    if left:
        slices.append(slice_of(still_owed(whole, slices), left))
    assert all(share.net_pence == share.vat_pence == 0 for share in still_owed(whole, slices))


def test_published_lines() -> None:
    row = ("Ardley", None, "Paving", None, TODAY, "T1", None, 10_000, None, None, "A & B Ltd", None)
    assert line_key(row) == line_key(list(row)) != line_key((*row[:7], 10_001, *row[8:]))
    assert [occurrence_reference("k", number) for number in (1, 2)] == ["k", "k-2"]
    assert published_supplier("A & B Ltd.", None) == published_supplier("A & B Ltd.", "CASH")
    assert published_supplier("A  b   ltd", None)[0] == published_supplier("A B LTD", None)[0]
    reference, name = published_supplier("Jane Doe", "CASH")
    assert "jane" not in reference.casefold() and name == "Jane Doe"
    long = "Jane " * 60
    assert published_supplier(f"{long}A", None)[0] != published_supplier(f"{long}B", None)[0]
    assert published_supplier(None, None) == ("redacted", "Redacted supplier")
    assert published_supplier(None, "77") == ("77", "Supplier 77")
    assert published_supplier("Redacted Data", "77")[0] == "redacted"
    draft = published_draft(7, row, [], TODAY)
    assert (draft.number_key, draft.kind, draft.gross_pence, draft.paid_on) == ("#T1", "invoice", 10_000, TODAY)
    with_vat = published_draft(7, (*row[:8], 2_000, 12_000, *row[10:]), [], TODAY)
    assert (with_vat.net_pence, with_vat.vat_pence, with_vat.gross_pence) == (10_000, 2_000, 12_000)
    before_2011 = published_draft(7, (*row[:4], date(2010, 6, 1), *row[5:8], 1_750, 11_750, *row[10:]), [], TODAY)
    assert (before_2011.vat_shares, before_2011.gross_pence) == (
        '[{"vat_rate":"17.5","net_pence":10000,"vat_pence":1750}]', 11_750,
    )  # fmt: skip
    of_two_rates = published_draft(7, (*row[:8], 1_234, 11_234, *row[10:]), [], TODAY)
    assert of_two_rates.vat_shares == '[{"vat_rate":"12.34","net_pence":10000,"vat_pence":1234}]'
    for impossible in (-1_000, 10_001):
        odd = published_draft(7, (*row[:8], impossible, 10_000 + impossible, *row[10:]), [], TODAY)
        assert (odd.net_pence, odd.vat_pence, odd.gross_pence) == (10_000, 0, 10_000)
    odd_vat = published_draft(7, (*row[:8], 2_000, 12_001, *row[10:]), [], TODAY)
    assert (odd_vat.net_pence, odd_vat.vat_pence, odd_vat.gross_pence) == (10_000, 0, 10_000)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NAME = _TEXT.filter(lambda text: text.isprintable() and text.strip() != "")


@given(
    number=_NAME, department=st.none() | _TEXT, description=_TEXT, net=st.integers(0, 10**9),
    rate=st.sampled_from(["0", "5", "12.50"]), paid=st.none() | st.just(TODAY), due=st.none() | st.just(TODAY),
)  # fmt: skip
def test_what_an_import_writes_is_what_the_models_write(
    *, number: str, department: str | None, description: str, net: int, rate: str, paid: date | None, due: date | None
) -> None:
    received = TODAY - timedelta(days=3)
    vat = net * int(Decimal(rate) * 10) // 1000
    row = (None, "S1", None, number, None, None, None, received, due, paid, net, vat, net + vat, rate, department,
           description)  # fmt: skip
    draft = invoice_draft(3, row, [], TODAY)
    line = Line(description, net, Decimal(rate), vat, department)
    assert draft.lines == stored_lines([line])
    told = Told(Actor("so\"me'one", "x"), datetime(2026, 3, 11, 9, 30, 0, 5, UTC), "e\\rp", uuid4(), None)
    supplier_id, [invoice_id] = uuid4(), ordered_ids(1, milliseconds=1_773_221_400_000)
    new = NewInvoice(draft, draft.reference, supplier_id, str(supplier_id), 30, b"")
    rows = assemble([new], told, ids=[invoice_id], duplicates={}, milliseconds=1_773_221_400_000)
    [(event_id, topic, key, event_type, payload)] = rows.outbox
    event = InvoiceReceivedV1(
        version=1, occurred_at=told.at, by=told.by.subject, invoice_id=UUID(str(invoice_id)),
        supplier_id=supplier_id, source=SourceReference(system="e\\rp", reference=draft.reference), number=number,
        issued_on=received, received_on=received, due_on=due or due_date(received, 30), net_pence=net,
        vat_pence=vat, gross_pence=net + vat,
        vat_shares=[VatShare(vat_rate=Decimal({"12.50": "12.5"}.get(rate, rate)), net_pence=net, vat_pence=vat)],
        status="paid" if paid else "received", historic=bool(paid), paid_on=paid,
    )  # fmt: skip
    assert (topic, key, event_type) == (event.topic, invoice_id, event.type)
    assert unseal(payload, InvoiceReceivedV1).data == event
    assert payload == seal(event, event_id=event_id) or not number.isascii() or not draft.reference.isascii()


_ANY_DAY = st.dates()
_AMOUNT = st.none() | st.integers(-(10**15), 10**15)


@given(
    days=st.tuples(st.none() | _ANY_DAY, _ANY_DAY, st.none() | _ANY_DAY, st.none() | _ANY_DAY),
    amounts=st.tuples(_AMOUNT, _AMOUNT, _AMOUNT), rate=st.none() | st.sampled_from(["20", "0%", "NaN", "1e9", "x"]),
)  # fmt: skip
def test_no_line_breaks_an_import(days: tuple[Any, ...], amounts: tuple[Any, ...], rate: str | None) -> None:
    """A far date or a wild amount is a refused line, and a line that is not refused fits an event."""
    row = (None, "S1", None, "1", None, None, *days, *amounts, rate, None, None)
    try:
        draft = invoice_draft(3, row, [], TODAY)
    except Refused as refused:
        assert all(problem.field and problem.expected for problem in refused.problems)
        return
    assert max(abs(draft.net_pence), abs(draft.vat_pence), abs(draft.gross_pence)) <= MAX_PENCE
    assert due_date(draft.received_on, 30) >= draft.received_on


def test_ids_are_in_order_and_of_version_seven() -> None:
    ids = ordered_ids(10_000, milliseconds=1_773_221_400_000)
    assert [str(one) for one in ids] == sorted(str(one) for one in ids)
    assert len(set(ids)) == 10_000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
