"""VAT on a line: the rates there have been, and whether an amount can follow from one. Whole pence, no rounding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from council_common.money import half_up


class Rates(NamedTuple):
    """The rates above zero from a day on: text in percent, and the same in hundredths of a percent."""

    effective_from: date
    rates: tuple[tuple[str, int], ...]


# VATA 1994 s2 (standard rate), s29A and Sch 7A (reduced), and before it VATA 1983 s9, as they stood; latest first.
USUAL_RATES: tuple[Rates, ...] = (
    Rates(date(2022, 4, 1), (("20", 2000), ("5", 500))),
    # Hospitality and holiday accommodation paid 12.5 % for half a year.
    Rates(date(2021, 10, 1), (("20", 2000), ("5", 500), ("12.5", 1250))),
    Rates(date(2011, 1, 4), (("20", 2000), ("5", 500))),
    Rates(date(2010, 1, 1), (("17.5", 1750), ("5", 500))),
    Rates(date(2008, 12, 1), (("15", 1500), ("5", 500))),
    Rates(date(1997, 9, 1), (("17.5", 1750), ("5", 500))),
    Rates(date(1994, 4, 1), (("17.5", 1750), ("8", 800))),
    Rates(date(1991, 4, 1), (("17.5", 1750),)),
    Rates(date.min, (("15", 1500),)),
)
_LATEST = USUAL_RATES[0]
_PENNY = 10_000


def rate_that_fits(net_pence: int, vat_pence: int, *, on: date) -> str | None:
    """The usual rate of a day by which VAT follows from net to the penny, the nearest one; None when none does.

    >>> rate_that_fits(10, 1, on=date(2026, 3, 1)), rate_that_fits(10_000, 1_750, on=date(2010, 6, 1))
    ('5', '17.5')
    """
    if vat_pence == 0:
        return "0"
    rates = _LATEST.rates if on >= _LATEST.effective_from else _rates_on(on)
    least, fitting = _PENNY + 1, None
    for text, hundredths in rates:
        off = abs(net_pence * hundredths - vat_pence * _PENNY)
        if off < least:
            least, fitting = off, text
            if not off:
                break
    return fitting


def standard_rate(on: date) -> str:
    """The standard rate of a day, in percent.

    >>> standard_rate(date(2012, 3, 5)), standard_rate(date(2010, 6, 1))
    ('20', '17.5')
    """
    return _rates_on(on)[0][0]


def is_possible(net_pence: int, vat_pence: int, rate: Decimal) -> bool:
    """Whether VAT can be that of a line: of its sign, and at most net at the rate and a penny for rounding.

    Less is the supplier's business (HMRC Notice 700 §17.5 lets it round down), zero is a reverse charge, and a line
    without net charges VAT alone. Source: VAT Regulations 1995 reg. 14: a valid invoice shows VAT at its rate;
    the bound of a penny is ours.

    >>> [is_possible(100_000, vat, Decimal(20)) for vat in (20_000, 20_001, 20_002, 0, -20_000)]
    [True, True, False, True, False]
    >>> is_possible(0, 2_000, Decimal(20))
    True
    """
    return not net_pence or (net_pence * vat_pence >= 0 and abs(vat_pence) * 100 <= abs(net_pence) * rate + 100)


def effective_rate(net_pence: int, vat_pence: int) -> str | None:
    """VAT in percent of net, to two places: what a line of several rates bears on the whole. None where it is none.

    >>> effective_rate(43_450, 7_900), effective_rate(100, -20), effective_rate(0, 5)
    ('18.18', None, None)
    """
    if net_pence * vat_pence < 0 or not net_pence or abs(vat_pence) > abs(net_pence):
        return None
    return plain_rate(Decimal(half_up(vat_pence * _PENNY, net_pence)).scaleb(-2))


@lru_cache(maxsize=1000)
def plain_rate(rate: Decimal) -> str:
    """A rate without trailing zeros.

    >>> plain_rate(Decimal("20.00")), plain_rate(Decimal("12.5"))
    ('20', '12.5')
    """
    return format(rate.normalize(), "f")


def _rates_on(day: date) -> tuple[tuple[str, int], ...]:
    return next(usual.rates for usual in USUAL_RATES if usual.effective_from <= day)
