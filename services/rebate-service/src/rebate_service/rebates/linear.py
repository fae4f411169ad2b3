"""The linear rebate: how many days early, which rate, how much of each VAT rate. Whole pence and exact fractions.

Source: payables.md §1.1 (formula, published points) and §1.3 (VAT, rounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from council_common.calendar import add_working_days

from rebate_service.agreements.rules import ClockEnd, ClockStart, RebateBase, Terms, VatMode

BACS_WORKING_DAYS = 2  # submitted on day 1, there on day 3
MILLION = 1_000_000  # a rate of percent has at most six decimal places
SIX_PLACES = Decimal("0.000001")


class Share(NamedTuple):
    """The part of an invoice at one VAT rate (percent)."""

    vat_rate: Decimal
    net_pence: int
    vat_pence: int


class Part(NamedTuple):
    """What one share earns."""

    share: Share
    net_pence: int
    vat_pence: int


class Rate(NamedTuple):
    """A rate as an exact fraction of the base: 1.05 % is 105/10000, and a third of a percent stays a third."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> Decimal:
        """For people and for the wire, rounded half up to six places; no penny is computed from it."""
        return _percent(self.numerator, self.denominator)

    def of(self, pence: int) -> int:
        """This much of an amount, half up to the penny."""
        return half_up(pence * self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class Days:
    """The days on which an invoice's clock may start and end."""

    received_on: date
    remitted_on: date
    valid_on: date | None = None
    arrives_on: date | None = None


@lru_cache(maxsize=4096)
def _percent(numerator: int, denominator: int) -> Decimal:
    exact = (Decimal(numerator) * 100 / denominator).quantize(SIX_PLACES, ROUND_HALF_UP).normalize()
    return exact.quantize(Decimal("0.01")) if exact == exact.quantize(Decimal("0.01")) else exact


@lru_cache(maxsize=256)
def _millionths(rate: Decimal) -> int:
    return int(rate * MILLION)


def half_up(numerator: int, denominator: int) -> int:
    """A fraction to the nearest whole number, halves away from zero (as `Money.times`).

    >>> half_up(5, 2), half_up(-5, 2), half_up(7, 3)
    (3, -3, 2)
    """
    doubled = 2 * denominator
    if numerator < 0:
        return -((denominator - 2 * numerator) // doubled)
    return (denominator + 2 * numerator) // doubled


def clock_starts_on(terms: Terms, received_on: date, valid_on: date | None) -> date:
    """Day 0: the day of receipt, or the later day on which it became a valid invoice where the terms say so."""
    if terms.clock_start is ClockStart.VALID_INVOICE and valid_on is not None and valid_on > received_on:
        return valid_on
    return received_on


def clock_ends_on(terms: Terms, remitted_on: date, arrives_on: date | None) -> date:
    """The day the file was sent, or the day the funds arrive: two working days later unless the payment says.

    The remittance-date trap (payables.md §1.1): the same payment is £105.00 on the one and £95.00 on the other.
    """
    if terms.clock_end is ClockEnd.RUN_DATE:
        return remitted_on
    return arrives_on if arrives_on is not None else add_working_days(remitted_on, BACS_WORKING_DAYS)


def elapsed_days(terms: Terms, days: Days) -> int:
    """Days from day 0 to the end of the clock; never negative."""
    start = clock_starts_on(terms, days.received_on, days.valid_on)
    return max(0, (clock_ends_on(terms, days.remitted_on, days.arrives_on) - start).days)


def accelerated_days(terms: Terms, elapsed: int) -> int:
    """How many days before the end of the term."""
    return max(0, terms.term_days - elapsed)


def rate_for(terms: Terms, accelerated: int) -> Rate:
    """reference_rate ÷ (term_days − target_day) × accelerated days.

    >>> terms = Terms(reference_rate_percent=Decimal("1.00"))
    >>> [str(rate_for(terms, 30 - day).percent) for day in (0, 5, 7, 10, 20, 29, 30)]
    ['1.50', '1.25', '1.15', '1.00', '0.50', '0.05', '0.00']
    """
    return Rate(terms.rate_in_millionths * accelerated, 100 * MILLION * (terms.term_days - terms.target_day))


def rebate_parts(shares: Sequence[Share], terms: Terms, accelerated: int) -> list[Part]:
    """What each share earns; the parts sum to the rebate.

    Rounding is half up to the penny and happens in these places only. Base net: on the net of each VAT rate, then
    on the VAT of that rebate. Base gross: once on the whole gross amount, which is then laid over the VAT rates by
    cumulative rounding and split into net and VAT. The VAT of a share that carries none (reverse charge) stays
    nought. Source: payables.md §1.3: by VAT rate £10.04, on gross £10.05.
    """
    rate = rate_for(terms, accelerated)
    if terms.rebate_base is RebateBase.GROSS:
        return _parts_of_gross(shares, rate, terms.vat_mode)
    parts = []
    for share in shares:
        net = rate.of(share.net_pence)
        vat = 0
        if share.vat_pence and terms.vat_mode is VatMode.REDUCE_NET_AND_VAT:
            vat = _within(half_up(net * _millionths(share.vat_rate), 100 * MILLION), share.vat_pence)
        parts.append(Part(share, net, vat))
    return parts


def _parts_of_gross(shares: Sequence[Share], rate: Rate, vat_mode: VatMode) -> list[Part]:
    parts = []
    gross = taken = 0
    for share in shares:
        gross += share.net_pence + share.vat_pence
        part = rate.of(gross) - taken
        taken += part
        vat = 0
        if share.vat_pence and vat_mode is VatMode.REDUCE_NET_AND_VAT:
            vat_millionths = _millionths(share.vat_rate)
            vat = _within(half_up(part * vat_millionths, 100 * MILLION + vat_millionths), share.vat_pence)
        parts.append(Part(share, part - vat, vat))
    return parts


def _within(pence: int, limit: int) -> int:
    """No more VAT comes off than there is, whatever its sign."""
    return min(pence, limit) if limit >= 0 else max(pence, limit)


def base_pence(shares: Sequence[Share], terms: Terms) -> int:
    """What the percentage runs on."""
    if terms.rebate_base is RebateBase.GROSS:
        return sum(share.net_pence + share.vat_pence for share in shares)
    return sum(share.net_pence for share in shares)
