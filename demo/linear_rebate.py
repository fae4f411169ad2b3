"""The linear rebate once more, in exact fractions and sharing no line with rebate-service, whose sums it proves.

Source: NHS Wales, Priority Supplier Programme: £1.25, £1.00 and £0.50 of a £100 invoice paid on day 5, 10 and 20, which
is exactly linear. Base, VAT and rounding are agreed by each council; ours is half up, VAT rate by VAT rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from demo.sample_council.facts import Invoice, Payment, Terms


class AmountAtVatRate(NamedTuple):
    """What an invoice, or the part of it that a payment settles, comes to at one VAT rate (percent)."""

    vat_rate: Fraction
    net_pence: int
    vat_pence: int


def half_up(exact: Fraction) -> int:
    """To the nearest penny, halves away from zero.

    >>> half_up(Fraction(5, 2)), half_up(Fraction(-5, 2)), half_up(Fraction(7, 3))
    (3, -3, 2)
    """
    pence = int(abs(exact) + Fraction(1, 2))
    return pence if exact >= 0 else -pence


def rate_on(terms: Terms, elapsed_days: int) -> Fraction:
    """The share of the base that is earned so many days after receipt.

    >>> [str(float(100 * rate_on(Terms(), day))) for day in (0, 5, 10, 20, 30, 31)]
    ['1.5', '1.25', '1.0', '0.5', '0.0', '0.0']
    """
    a_day = Fraction(terms.reference_rate_percent) / 100 / (terms.term_days - terms.target_day)
    return a_day * max(0, terms.term_days - elapsed_days)


def rebate_pence(terms: Terms, amounts: Sequence[AmountAtVatRate], elapsed_days: int) -> int:
    """What is taken off, net and VAT together, in whole pence."""
    rate = rate_on(terms, elapsed_days)
    if terms.rebate_base == "gross":
        return half_up(rate * sum(amount.net_pence + amount.vat_pence for amount in amounts))
    total = 0
    for amount in amounts:
        net = half_up(rate * amount.net_pence)
        total += net
        if terms.vat_mode == "reduce_net_and_vat" and amount.vat_pence:
            total += min(half_up(net * amount.vat_rate / 100), amount.vat_pence)
    return total


def elapsed_days(terms: Terms, received_on: date, payment: Payment) -> int:
    """From receipt to the day the file was sent, or the day the money was there: as agreed, never inferred."""
    end = payment.arrives_on if terms.clock_end == "funds_arrival" else payment.remitted_on
    return (end - received_on).days


def amounts_of(invoice: Invoice, settles_pence: int | None = None) -> list[AmountAtVatRate]:
    """An invoice per VAT rate, or the part of it that a payment settles (which has to come out in whole pence)."""
    part = Fraction(1) if settles_pence is None else Fraction(settles_pence, invoice.gross_pence)
    amounts = []
    for rate in sorted({line.vat_rate for line in invoice.lines}, key=Fraction):
        of_rate = [line for line in invoice.lines if line.vat_rate == rate]
        net = part * sum(line.net_pence for line in of_rate)
        vat = part * sum(line.vat_pence for line in of_rate)
        if net.denominator != 1 or vat.denominator != 1:
            raise ValueError(f"{invoice.reference}: the part paid is no whole number of pence at {rate} %")
        amounts.append(AmountAtVatRate(vat_rate=Fraction(rate), net_pence=int(net), vat_pence=int(vat)))
    return amounts


def earned_pence(invoice: Invoice, payment: Payment) -> int:
    """What a payment earns under its supplier's terms; nothing outside the programme."""
    terms = invoice.supplier.terms
    if terms is None:
        return 0
    days = elapsed_days(terms, invoice.received_on, payment)
    return rebate_pence(terms, amounts_of(invoice, payment.settles_pence), days)


def expected_pence(invoice: Invoice, payment: Payment) -> int:
    """What the target day would have earned."""
    terms = invoice.supplier.terms
    if terms is None:
        return 0
    return rebate_pence(terms, amounts_of(invoice, payment.settles_pence), terms.target_day)
