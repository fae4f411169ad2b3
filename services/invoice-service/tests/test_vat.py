from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.register.invoices.vat import USUAL_RATES, is_possible, rate_that_fits

TODAY = date(2026, 3, 11)


def test_the_latest_rates_come_first() -> None:
    days = [usual.effective_from for usual in USUAL_RATES]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize(
    ("net", "vat", "on", "rate"),
    [
        (100_000, 20_000, TODAY, "20"),
        (100_000, 0, TODAY, "0"),
        (10_000, 500, TODAY, "5"),
        (10, 1, TODAY, "5"),  # 0.5p half up; at 20 % it would be 2p
        (20, 1, TODAY, "5"),
        (-100_000, -20_000, TODAY, "20"),
        (10_000, 1_750, date(2010, 6, 1), "17.5"),
        (10_000, 1_500, date(2009, 6, 1), "15"),
        (10_000, 1_750, date(2009, 6, 1), None),
        (10_000, 1_750, TODAY, None),
        (10_000, 2_000, date(2010, 12, 31), None),
        (10_000, 2_000, date(2011, 1, 4), "20"),
        (10_000, 1_250, date(2022, 3, 31), "12.5"),
        (10_000, 1_250, date(2022, 4, 1), None),
        (10_000, -2_000, TODAY, None),
    ],
)
def test_the_usual_rate_of_the_day_that_is_nearest(net: int, vat: int, on: date, rate: str | None) -> None:
    assert rate_that_fits(net, vat, on=on) == rate


@pytest.mark.parametrize(
    ("net", "vat", "rate", "possible"),
    [
        (100_000, 90_000, "20", False),  # £1,000 at 20 % with £900
        (100_000, 20_000, "0", False),
        (100_000, -20_000, "20", False),
        (100_000, 0, "20", True),  # reverse charge
        (100_000, 20_001, "20", True),
        (100_000, 20_002, "20", False),
        (-100_000, -20_000, "20", True),
        (-100_000, 20_000, "20", False),
    ],
)
def test_what_vat_can_be(net: int, vat: int, rate: str, *, possible: bool) -> None:
    assert is_possible(net, vat, Decimal(rate)) is possible


@given(st.integers(-(10**14), 10**14), st.sampled_from([rate for usual in USUAL_RATES for rate, _ in usual.rates]))
def test_what_a_rate_gives_is_possible_however_it_was_rounded(net: int, rate: str) -> None:
    exact = net * int(Decimal(rate) * 10)
    for vat in (exact // 1000, -(-exact // 1000)):
        assert is_possible(net, vat, Decimal(rate))
