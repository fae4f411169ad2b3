"""What makes terms of early payment sound: one check, for the service that agrees them and the one that earns by them.

Rebate = base × (reference rate ÷ (term − target day)) × days before the end of the term. Source: NHS Wales, Priority
Supplier Programme, "How it works: suppliers", whose three published points lie on that line.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from council_common.errors import FieldError


def highest_rate_percent(*, term_days: int, target_day: int) -> Decimal:
    """The reference rate (percent, rounded down to six places) that takes the whole base on the day of receipt.

    >>> highest_rate_percent(term_days=30, target_day=10), highest_rate_percent(term_days=30, target_day=29)
    (Decimal('66.666666'), Decimal('3.333333'))
    """
    highest = Decimal(100 * (term_days - target_day)) / term_days
    return highest.quantize(Decimal("0.000001"), ROUND_DOWN)


def unsound_terms(
    *, term_days: int, target_day: int, reference_rate_percent: Decimal, at: str = ""
) -> list[FieldError]:
    """What is wrong with terms, field by field (`at` goes before each name); empty where they can be agreed.

    A target day on or after the term divides by zero or turns the rebate round; a rate of zero is sound (FreePay: small
    suppliers are paid early and give nothing for it); and on the day of receipt, which earns the most, a rebate is
    never more than what it is taken from.

    >>> unsound_terms(term_days=30, target_day=10, reference_rate_percent=Decimal("1.00"))
    []
    >>> [wrong.field for wrong in unsound_terms(term_days=30, target_day=29, reference_rate_percent=Decimal("4.00"))]
    ['reference_rate_percent']
    """
    wrong = []
    rate_field = f"{at}reference_rate_percent"
    if reference_rate_percent < 0:
        wrong.append(FieldError(rate_field, "is below zero", "0 (FreePay) or more"))
    if not 0 <= target_day < term_days:
        wrong.append(
            FieldError(f"{at}target_day", "is not within the term", f"0 to {term_days - 1} (before term_days)")
        )
    elif reference_rate_percent > (highest := highest_rate_percent(term_days=term_days, target_day=target_day)):
        expected = f"at most {highest:f}: 100 × (term − target day) ÷ term"
        wrong.append(FieldError(rate_field, "takes more than the whole on the day of receipt", expected))
    return wrong


STATUTORY_DAYS = 30
"""The days of Procurement Act 2023 s68(2), which begin with the day of receipt: the last is 29 days after it."""


def runs_past_statutory_due_date(*, term_days: int) -> bool:
    """Whether terms still reward a payment that Procurement Act 2023 s68(2) calls late.

    A term counts the day of receipt as day 0 and earns until the day before it ends, so that one of thirty days ends
    with the statutory one.

    >>> [runs_past_statutory_due_date(term_days=days) for days in (14, 30, 31)]
    [False, False, True]
    """
    return term_days > STATUTORY_DAYS
