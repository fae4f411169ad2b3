"""The linear rebate: how many days early, which rate, how much of each VAT rate. Whole pence and exact fractions.

Source: NHS Wales, Priority Supplier Programme, "How it works: suppliers": £1.25, £1.00 and £0.50 of a £100 invoice paid
on day 5, 10 and 20, which is exactly linear. Base, VAT and rounding are agreed by each council.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from council_bacs.arrivals import arrival_day
from council_common.contracts.invoices import PaymentMethod
from council_common.money import half_up

from rebate_service.agreements.rules import MILLION, ClockEnd, ClockStart, RebateBase, Terms, VatMode

SIX_PLACES = Decimal("0.000001")


class AmountAtVatRate(NamedTuple):
    """What an invoice, or a payment of it, comes to at one VAT rate (percent)."""

    vat_rate: Decimal
    net_pence: int
    vat_pence: int


class RebateAtVatRate(NamedTuple):
    """What the amount at one VAT rate earns: the net taken off, and the VAT."""

    amount: AmountAtVatRate
    net_pence: int
    vat_pence: int


class ExactRate(NamedTuple):
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


@lru_cache(maxsize=4096)
def _percent(numerator: int, denominator: int) -> Decimal:
    exact = (Decimal(numerator) * 100 / denominator).quantize(SIX_PLACES, ROUND_HALF_UP).normalize()
    return exact.quantize(Decimal("0.01")) if exact == exact.quantize(Decimal("0.01")) else exact


@lru_cache(maxsize=256)
def _millionths(rate: Decimal) -> int:
    return int(rate * MILLION)


def clock_starts_on(terms: Terms, received_on: date, valid_on: date | None, remitted_on: date | None) -> date:
    """Day 0: the day of receipt, or the later day on which it became a valid invoice where the terms say so.

    A payment sent before that day (`remitted_on`; None: not sent yet) never had a valid invoice to count from. It
    earns by receipt: counted from a day that had not come, it would be on day 0 and earn the most there is. Source: our
    policy, that the date of receipt stands unless the terms say otherwise.
    """
    if terms.clock_start is ClockStart.RECEIVED or valid_on is None or valid_on <= received_on:
        return received_on
    return received_on if remitted_on is not None and remitted_on < valid_on else valid_on


def clock_ends_on(
    terms: Terms, remitted_on: date, arrives_on: date | None, method: PaymentMethod | None
) -> date | None:
    """The day the payment was sent, or the day the funds arrive; None where that day is not known.

    A payment that names neither a day nor a method went by Bacs.

    The two differ: £10,000 received on 2 March and sent on 11 March 2026 earns £105.00 by the one and £95.00 by the
    other, for Bacs delivers on 13 March.
    """
    if terms.clock_end is ClockEnd.RUN_DATE:
        return remitted_on
    return arrives_on if arrives_on is not None else arrival_day(method or "bacs", remitted_on)


def elapsed_days(started_on: date, ended_on: date) -> int:
    """Days from day 0 to the end of the clock; never negative."""
    return max(0, (ended_on - started_on).days)


def accelerated_days(terms: Terms, elapsed: int) -> int:
    """How many days before the end of the term."""
    return max(0, terms.term_days - elapsed)


def rate_for(terms: Terms, accelerated: int) -> ExactRate:
    """reference_rate ÷ (term_days − target_day) × accelerated days.

    >>> from rebate_service.agreements.rules import Collection
    >>> clocks, money = (ClockStart.RECEIVED, ClockEnd.RUN_DATE), (RebateBase.NET, VatMode.NET_ONLY)
    >>> terms = Terms(Decimal("1.00"), 10, 30, *clocks, *money, Collection.CLAIM)
    >>> [str(rate_for(terms, 30 - day).percent) for day in (0, 5, 7, 10, 20, 29, 30)]
    ['1.50', '1.25', '1.15', '1.00', '0.50', '0.05', '0.00']
    """
    return _rate(terms.rate_in_millionths, terms.term_days - terms.target_day, accelerated)


@lru_cache(maxsize=4096)
def _rate(millionths: int, days: int, accelerated: int) -> ExactRate:
    return ExactRate(numerator=millionths * accelerated, denominator=100 * MILLION * days)


def rebate_parts(amounts: Sequence[AmountAtVatRate], terms: Terms, accelerated: int) -> list[RebateAtVatRate]:
    """What the amount at each VAT rate earns; the parts sum to the rebate.

    Rounding is half up to the penny and happens in these places only. Base net: on the net of each VAT rate, then
    on the VAT of that rebate. Base gross: once on the whole gross amount, which is then laid over the VAT rates by
    cumulative rounding and split into net and VAT. The VAT of an amount that carries none (reverse charge) stays
    zero. Source: our rule, so that the VAT of a debit note is its rate of its net, rate by rate.
    """
    rate = rate_for(terms, accelerated)
    if terms.rebate_base is RebateBase.GROSS:
        return _parts_of_gross(amounts, rate, terms.vat_mode)
    parts = []
    for amount in amounts:
        net = rate.of(amount.net_pence)
        parts.append(RebateAtVatRate(amount=amount, net_pence=net, vat_pence=_vat_of(net, amount, terms.vat_mode)))
    return parts


def rebate_pence(amounts: Sequence[AmountAtVatRate], terms: Terms, accelerated: int) -> int:
    """What the parts of `rebate_parts` sum to."""
    rate = rate_for(terms, accelerated)
    if terms.rebate_base is RebateBase.GROSS:
        return rate.of(base_pence(amounts, terms))
    total = 0
    for amount in amounts:
        net = rate.of(amount.net_pence)
        total += net + _vat_of(net, amount, terms.vat_mode)
    return total


def _vat_of(net: int, amount: AmountAtVatRate, vat_mode: VatMode) -> int:
    """The VAT that comes off with a net rebate."""
    if not amount.vat_pence or vat_mode is VatMode.NET_ONLY:
        return 0
    return _within(half_up(net * _millionths(amount.vat_rate), 100 * MILLION), amount.vat_pence)


def _parts_of_gross(amounts: Sequence[AmountAtVatRate], rate: ExactRate, vat_mode: VatMode) -> list[RebateAtVatRate]:
    parts = []
    gross = taken = 0
    for amount in amounts:
        gross += amount.net_pence + amount.vat_pence
        part = rate.of(gross) - taken
        taken += part
        vat = 0
        if amount.vat_pence and vat_mode is VatMode.REDUCE_NET_AND_VAT:
            vat_millionths = _millionths(amount.vat_rate)
            vat = _within(half_up(part * vat_millionths, 100 * MILLION + vat_millionths), amount.vat_pence)
        parts.append(RebateAtVatRate(amount=amount, net_pence=part - vat, vat_pence=vat))
    return parts


def _within(pence: int, limit: int) -> int:
    """No more VAT comes off than there is, and never the other way: between zero and all of it."""
    if 0 <= pence <= limit:
        return pence
    return max(0, min(pence, limit)) if limit >= 0 else min(0, max(pence, limit))


def base_pence(amounts: Sequence[AmountAtVatRate], terms: Terms) -> int:
    """What the percentage runs on."""
    if terms.rebate_base is RebateBase.GROSS:
        return sum([amount.net_pence + amount.vat_pence for amount in amounts])
    return sum([amount.net_pence for amount in amounts])
