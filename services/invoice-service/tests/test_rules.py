from datetime import date
from decimal import Decimal

import pytest
from council_common.contracts.fields import VatShare
from council_common.errors import IllegalMove
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.bulk_ids import ordered_ids
from invoice_service.register.invoices.rules import (
    InvoiceStatus,
    Line,
    due_date,
    move,
    normalised_number,
    pay_by,
    vat_shares,
)
from invoice_service.register.invoices.vat_shares import slice_of, still_owed

TODAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("INV-00123/A", "123A"),
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
    """Procurement Act 2023 s68(2): received 1 April 2026, to be paid by Thursday 30 April.

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
    # What the paying system did: without approval, while held; and its return.
    ("received", "paid"), ("held", "paid"), ("paid", "received"),
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


def test_ids_are_in_order_and_of_version_seven() -> None:
    ids = ordered_ids(10_000, milliseconds=1_773_221_400_000)
    assert [str(one) for one in ids] == sorted(str(one) for one in ids)
    assert len(set(ids)) == 10_000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
