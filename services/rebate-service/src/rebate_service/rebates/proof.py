"""The arithmetic in words, so that a supplier, an auditor or a council officer can repeat it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from council_common.money import Money

from rebate_service.agreements.rules import ClockEnd, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import (
    AmountAtVatRate,
    ExactRate,
    RebateAtVatRate,
    clock_starts_on,
    rate_for,
    rebate_parts,
)
from rebate_service.rebates.rules import Assessment, MissedCause, PaymentFacts, RebateStatus


def earned_parts(amounts: Sequence[AmountAtVatRate], terms: Terms, assessment: Assessment) -> list[RebateAtVatRate]:
    """What each VAT rate of a stored rebate earned; for an expectation, what it would earn on the target day."""
    if assessment.status is RebateStatus.EXPECTED:
        return rebate_parts(amounts, terms, terms.term_days - terms.target_day)
    accelerated = 0 if assessment.cause in set(MissedCause) else assessment.accelerated_days or 0
    return rebate_parts(amounts, terms, accelerated)


_NOTHING: dict[str | None, str] = {
    MissedCause.DISPUTED: "A dispute had arisen when it was sent: nothing is earned.",
    MissedCause.DIRECT_DEBIT: "The supplier took it by Direct Debit: nothing is earned.",
    MissedCause.BEFORE_RECEIPT: "Paid before the invoice was received: nothing is earned.",
    MissedCause.TERM_OVER: "Not paid by the end of the term of {term} days: nothing can be earned.",
}


def proof_of(
    terms: Terms,
    assessment: Assessment,
    *,
    received_on: date,
    valid_on: date | None,
    payment: PaymentFacts | None,
    part_payment: bool = False,
) -> list[str]:
    """The arithmetic, one sentence a step; the assessment has its clock and its parts."""
    lines = [_clock_start(terms, assessment, received_on, valid_on)]
    if payment is None:
        lines.append(f"Expected for payment on day {terms.target_day}, {_day(assessment.target_on)}.")
        accelerated = terms.term_days - terms.target_day
    elif assessment.elapsed_days is None:
        return [*lines, f"Paid by {payment.method}, and the day the funds arrive is not known: nothing is earned."]
    else:
        lines.append(_clock_end(terms, payment, assessment))
        accelerated = assessment.accelerated_days or 0
        lines.append(
            f"Term {terms.term_days} days - {assessment.elapsed_days} elapsed = {accelerated} days accelerated"
            f"{'' if accelerated else ' (never below zero)'}."
        )
    if assessment.cause in _NOTHING:
        return [*lines, _NOTHING[assessment.cause].format(term=terms.term_days)]
    if not accelerated:
        return [*lines, "Paid at or after the end of the term: nothing is earned."]
    lines.append(_rate(terms, accelerated))
    lines += _amounts(assessment.parts, terms, accelerated)
    if part_payment:
        lines.append(
            "Part payment: it earns on its own days. Have the VAT checked: a prompt payment discount must"
            " not be paid by instalments (VATA 1994 Sch 6 para 4)."
        )
    return lines


def _clock_start(terms: Terms, assessment: Assessment, received_on: date, valid_on: date | None) -> str:
    start = assessment.clock_started_on
    if start != received_on:
        return f"Day 0 is {_day(start)}, the day it was a valid invoice."
    line = f"Day 0 is {_day(start)}, the day it was received"
    unpaid = clock_starts_on(terms, received_on, valid_on, None)
    return f"{line}: it was paid before it was a valid invoice, {_day(unpaid)}." if unpaid != start else f"{line}."


def _clock_end(terms: Terms, payment: PaymentFacts, assessment: Assessment) -> str:
    what = "the day the payment file was sent" if terms.clock_end is ClockEnd.RUN_DATE else _arrival(payment)
    return f"The clock ends on {_day(assessment.clock_ended_on)}, {what}: {assessment.elapsed_days} days elapsed."


def _arrival(payment: PaymentFacts) -> str:
    """How the day of arrival is known: from the payment, or by what its method takes."""
    if payment.arrives_on is not None:
        return "the day the funds arrive"
    if payment.method == "faster_payment":
        return "the day the funds arrive (a Faster Payment: the day it was sent)"
    return "the day the funds arrive (not given; by Bacs two working days after input)"


def _rate(terms: Terms, accelerated: int) -> str:
    reference = _percent(terms.reference_rate_percent)
    between = terms.term_days - terms.target_day
    rate = rate_for(terms, accelerated).percent
    return (
        f"{reference} ÷ ({terms.term_days} - {terms.target_day}) days × {accelerated} days"
        f" = {reference} × {accelerated}/{between} = {_percent(rate)}."
    )


def _amounts(parts: Sequence[RebateAtVatRate], terms: Terms, accelerated: int) -> list[str]:
    rate = _factor(terms, accelerated)
    net = sum(part.net_pence for part in parts)
    vat = sum(part.vat_pence for part in parts)
    if terms.rebate_base is RebateBase.GROSS:
        gross = sum(part.amount.net_pence + part.amount.vat_pence for part in parts)
        lines = [f"{Money(gross)} gross × {rate} = {Money(net + vat)}, half up, laid over the VAT rates:"]
        lines += [
            f"At {_percent(part.amount.vat_rate)} VAT: {Money(part.net_pence)} net + {Money(part.vat_pence)} VAT."
            for part in parts
        ]
    else:
        lines = [_by_rate(part, rate, terms.vat_mode) for part in parts]
    return [*lines, f"Rebate {Money(net)} net + {Money(vat)} VAT = {Money(net + vat)}."]


def _factor(terms: Terms, accelerated: int) -> str:
    """The rate to multiply by: in percent where six places are exact, else as a fraction."""
    rate = rate_for(terms, accelerated)
    if _is_exact(rate):
        return _percent(rate.percent)
    return f"{accelerated}/{terms.term_days - terms.target_day} of {_percent(terms.reference_rate_percent)}"


def _is_exact(rate: ExactRate) -> bool:
    return rate.numerator * 100 == rate.percent * rate.denominator


def _by_rate(part: RebateAtVatRate, rate: str, vat_mode: VatMode) -> str:
    vat_rate = _percent(part.amount.vat_rate)
    line = f"At {vat_rate} VAT: {Money(part.amount.net_pence)} net × {rate} = {Money(part.net_pence)}, half up"
    if vat_mode is VatMode.NET_ONLY:
        return f"{line}; the VAT stays as it is."
    if not part.amount.vat_pence:
        return f"{line}; no VAT."
    return f"{line}; VAT {vat_rate} of that = {Money(part.vat_pence)}."


def _percent(value: Decimal) -> str:
    shown = f"{value:f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else "an unknown day"
