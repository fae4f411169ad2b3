"""Net, VAT, gross and rate of a line: as they were sent where they can be kept, worked out where they are absent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from council_common.imports import Problem
from council_common.money import MAX_PENCE, half_up

from invoice_service.register.invoices.vat import (
    effective_rate,
    is_possible,
    plain_rate,
    rate_that_fits,
    standard_rate,
)


class Refused(Exception):
    """A line that can be read and is invalid."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


class Amounts(NamedTuple):
    """What a line comes to in pence, and its rate in percent.

    `disagree`: net and VAT are not gross, or VAT is not that of the net; the figures are as they were sent.
    `vat_derived`: the line had no VAT, which was worked out.
    """

    net: int
    vat: int
    gross: int
    rate: str
    disagree: bool = False
    vat_derived: bool = False


def invoice_amounts(net: int | None, vat: int | None, gross: int | None, stated: str | None, on: date) -> Amounts:
    """The amounts of an invoice's line by those that it has, its rate and its date. Raises Refused.

    Without VAT it follows from net and gross, else from the rate; without a rate there is none.

    >>> day = date(2026, 3, 1)
    >>> invoice_amounts(10_000, None, None, "20", day)[:4], invoice_amounts(None, None, 12_000, "0.2", day)[:4]
    ((10000, 2000, 12000, '20'), (10000, 2000, 12000, '20'))
    >>> invoice_amounts(12_000, 2_000, 12_000, None, day).disagree
    True
    """
    if net is None and gross is None:
        raise Refused(Problem("net", "missing-value", "neither net nor gross is given", "at least one of them"))
    rate = None if stated is None else read_rate(stated)
    if vat is None:
        return _without_vat(net, gross, rate, on)
    if net is None:
        net = (gross or 0) - vat
    if gross is None:
        gross = net + vat
    bounded(net, vat, gross)
    if net + vat != gross:
        return Amounts(net, vat, gross, rate or _rate_borne(net, vat, on), disagree=True)
    return Amounts(net, vat, gross, _checked(rate, net, vat, on))


def published_amounts(net: int, vat: int | None, gross: int | None, on: date, *, is_net: bool) -> Amounts:
    """The amounts of a published payment: net alone has no VAT (the Code asks for net of recoverable VAT).

    VAT counts with a gross amount, or where the file says that its amounts are net (`is_net`). VAT alone, or more than
    the net (of an import), bears the standard rate. A gross of zero beside other amounts says nothing: what they come
    to is taken for it, and they disagree. Raises Refused.

    >>> day = date(2012, 3, 5)
    >>> published_amounts(0, 2_000, 2_000, day, is_net=True)
    Amounts(net=0, vat=2000, gross=2000, rate='20', disagree=False, vat_derived=False)
    >>> published_amounts(12_000, 2_000, 10_000, day, is_net=True).disagree
    True
    """
    bounded(net, vat or 0, gross or 0)
    if gross is None:
        counts = bool(vat) and (is_net or not net)
        vat = vat if counts else 0
        gross = net + (vat or 0)
    if vat is None:
        derived = gross - net
        if not derived or effective_rate(net, derived) is None:
            return Amounts(net, 0, gross or net, "0", disagree=net != gross)
        return Amounts(net, derived, gross, _rate_borne(net, derived, on), vat_derived=True)
    disagree = net + vat != gross or net * vat < 0
    return Amounts(net, vat, gross or net + vat, _rate_borne(net, vat, on), disagree)


def bounded(*amounts: int) -> None:
    """Raise Refused for amounts that are larger than an event holds."""
    if any(abs(amount) > MAX_PENCE for amount in amounts):
        raise Refused(Problem("net", "amount-too-large", "is too large", f"at most {MAX_PENCE} pence"))


def _without_vat(net: int | None, gross: int | None, rate: str | None, on: date) -> Amounts:
    if net is not None and gross is not None:
        bounded(net, gross)
        vat = gross - net
        if not vat:
            return Amounts(net, 0, gross, rate or "0", vat_derived=_is_owed(net, rate))
        fits = rate or rate_that_fits(net, vat, on=on) or effective_rate(net, vat)
        if not net or fits is None or not is_possible(net, vat, Decimal(fits)):
            return Amounts(net, 0, gross, rate or "0", disagree=True)
        return Amounts(net, vat, gross, fits, vat_derived=True)
    share = Decimal(rate or 0).as_integer_ratio()
    hundred = 100 * share[1]
    if net is not None:
        vat = half_up(net * share[0], hundred)
        gross = net + vat
    else:
        gross = gross or 0
        vat = half_up(gross * share[0], hundred + share[0])
        net = gross - vat
    bounded(net, vat, gross)
    return Amounts(net, vat, gross, rate or "0", vat_derived=_is_owed(net, rate))


def _is_owed(net: int, rate: str | None) -> bool:
    return bool(net) and rate is not None and rate != "0"


def _checked(rate: str | None, net: int, vat: int, on: date) -> str:
    if rate is None:
        fitting = rate_that_fits(net, vat, on=on)
        if fitting is None:
            problem = "the VAT fits no usual rate, and the line has no rate"
            raise Refused(Problem("vat_rate", "missing-value", problem, "a rate in percent, such as 20"))
        return fitting
    if vat and not is_possible(net, vat, Decimal(rate)):
        problem = f"{vat} pence is not the VAT of {net} pence at {rate} percent"
        right = "net times rate, at most a penny more; 0 for a reverse charge"
        raise Refused(Problem("vat", "vat-beyond-rate", problem, right))
    return rate


def _rate_borne(net: int, vat: int, on: date) -> str:
    """The usual rate that fits, else the percentage it comes to, else (VAT of another value than the net) standard."""
    return rate_that_fits(net, vat, on=on) or effective_rate(net, vat) or standard_rate(on)


@lru_cache(maxsize=1000)
def read_rate(text: str) -> str:
    """A rate of VAT in percent. Below 1 it is the share that a spreadsheet holds under 20 %. Raises Refused.

    >>> read_rate("20%"), read_rate("0.2"), read_rate("0.125"), read_rate("0")
    ('20', '20', '12.5', '0')
    """
    try:
        rate = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        rate = Decimal(-1)
    if rate.is_finite() and 0 < rate < 1 and not text.endswith("%"):
        rate *= 100
    exponent = rate.as_tuple().exponent
    if not rate.is_finite() or not 0 <= rate <= 100 or not isinstance(exponent, int) or exponent < -6:
        raise Refused(Problem("vat_rate", "not-a-rate", "is not a rate of VAT", "percent, such as 20 or 12.5"))
    return plain_rate(rate)
