"""VAT that a supplier worked out on the total and not line by line. Whole pence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from council_common.money import half_up

from invoice_service.register.invoices.rules import Line, NewInvoice
from invoice_service.register.invoices.vat import is_possible


def with_vat_of_total(new: NewInvoice) -> NewInvoice:
    """An invoice whose lines' VAT sums to its total where that was worked out on the total; else as it is.

    Source: HMRC Notice 700 §17.5.1, which allows rounding by line and by the invoice's total, and rounding down. The
    penny goes on the last line that can bear it; more than one, of many lines, on one line each from the last upwards.

    >>> lines = tuple(Line("", 333, Decimal(20), 67) for _ in range(3))
    >>> [line.vat_pence for line in spread(lines, 200)]
    [67, 67, 66]
    """
    if sum(line.vat_pence for line in new.lines) == new.vat_pence or not _is_of_total(new.lines, new.vat_pence):
        return new
    return replace(new, lines=spread(new.lines, new.vat_pence))


def spread(lines: Sequence[Line], vat_pence: int) -> tuple[Line, ...]:
    """Lines whose VAT differs from a total by pennies, with a penny more or less on each from the last upwards."""
    spread_ = list(lines)
    left = vat_pence - sum(line.vat_pence for line in lines)
    penny = 1 if left > 0 else -1
    for place in range(len(spread_) - 1, -1, -1):
        if not left:
            break
        line = spread_[place]
        vat = line.vat_pence + penny
        if line.vat_pence and is_possible(line.net_pence, vat, line.vat_rate):
            spread_[place] = replace(line, vat_pence=vat)
            left -= penny
    return tuple(spread_)


def _is_of_total(lines: Sequence[Line], vat_pence: int) -> bool:
    """Whether VAT is that of the lines' net summed by rate, rounded half up or towards zero."""
    nets: dict[Decimal, int] = defaultdict(int)
    for line in lines:
        if line.vat_pence:  # no VAT is charged on a line of a reverse charge
            nets[line.vat_rate] += line.net_pence
    sums = [(net * int(rate * 10**6), 100 * 10**6) for rate, net in nets.items()]
    rounded = sum(half_up(numerator, denominator) for numerator, denominator in sums)
    cut = sum((1 if numerator >= 0 else -1) * (abs(numerator) // denominator) for numerator, denominator in sums)
    return min(rounded, cut) <= vat_pence <= max(rounded, cut)
