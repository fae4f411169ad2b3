"""The sum in words, so that a supplier, an auditor or a council officer can do it again by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from council_common.money import Money

from rebate_service.agreements.rules import ClockEnd, RebateBase, Terms, VatMode
from rebate_service.rebates.linear import Part, Share, clock_ends_on, clock_starts_on, rate_for, rebate_parts
from rebate_service.rebates.rules import Assessment, Missed, Payment, RebateStatus


def earned_parts(shares: Sequence[Share], terms: Terms, assessment: Assessment) -> list[Part]:
    """What each VAT rate earned; for an expectation, what it would earn on the target day."""
    if assessment.status is RebateStatus.EXPECTED:
        return rebate_parts(shares, terms, terms.term_days - terms.target_day)
    days = 0 if assessment.cause in set(Missed) else assessment.accelerated_days or 0
    return rebate_parts(shares, terms, days)


def proof_of(
    shares: Sequence[Share],
    terms: Terms,
    assessment: Assessment,
    *,
    received_on: date,
    valid_on: date | None,
    payment: Payment | None,
    part_payment: bool = False,
) -> list[str]:
    """The arithmetic, one sentence a step."""
    start = clock_starts_on(terms, received_on, valid_on)
    began = "received" if start == received_on else "a valid invoice"
    lines = [f"Day 0 is {_day(start)}, the day it was {began}."]
    if payment is None:
        lines.append(f"Expected for payment on day {terms.target_day}, {_day(assessment.target_on or start)}.")
        accelerated = terms.term_days - terms.target_day
    else:
        lines.append(_clock_end(terms, payment, assessment))
        accelerated = assessment.accelerated_days or 0
        lines.append(
            f"Term {terms.term_days} days - {assessment.elapsed_days} elapsed = {accelerated} days accelerated"
            f"{'' if accelerated else ' (never below nought)'}."
        )
    if assessment.cause == Missed.DISPUTED:
        return [*lines, "It was in dispute until paid: nothing is earned."]
    if not accelerated:
        return [*lines, "Paid at or after the end of the term: nothing is earned."]
    lines.append(_rate(terms, accelerated))
    lines += _amounts(earned_parts(shares, terms, assessment), terms, accelerated)
    if part_payment:
        lines.append(
            "Part payment: this slice earns on its own days. Have the VAT looked at: a prompt payment discount must"
            " not be paid by instalments (VATA 1994 Sch 6 para 4)."
        )
    return lines


def _clock_end(terms: Terms, payment: Payment, assessment: Assessment) -> str:
    end = clock_ends_on(terms, payment.remitted_on, payment.arrives_on)
    what = "the day the payment file was sent" if terms.clock_end is ClockEnd.RUN_DATE else "the day the funds arrive"
    return f"The clock ends on {_day(end)}, {what}: {assessment.elapsed_days} days elapsed."


def _rate(terms: Terms, accelerated: int) -> str:
    reference = _percent(terms.reference_rate_percent)
    between = terms.term_days - terms.target_day
    rate = rate_for(terms, accelerated).percent
    return (
        f"{reference} ÷ ({terms.term_days} - {terms.target_day}) days × {accelerated} days"
        f" = {reference} × {accelerated}/{between} = {_percent(rate)}."
    )


def _amounts(parts: Sequence[Part], terms: Terms, accelerated: int) -> list[str]:
    rate = _percent(rate_for(terms, accelerated).percent)
    net = sum(part.net_pence for part in parts)
    vat = sum(part.vat_pence for part in parts)
    if terms.rebate_base is RebateBase.GROSS:
        gross = sum(part.share.net_pence + part.share.vat_pence for part in parts)
        lines = [f"{Money(gross)} gross × {rate} = {Money(net + vat)}, half up, laid over the VAT rates:"]
        lines += [
            f"At {_percent(part.share.vat_rate)} VAT: {Money(part.net_pence)} net + {Money(part.vat_pence)} VAT."
            for part in parts
        ]
    else:
        lines = [_by_rate(part, rate, terms.vat_mode) for part in parts]
    return [*lines, f"Rebate {Money(net)} net + {Money(vat)} VAT = {Money(net + vat)}."]


def _by_rate(part: Part, rate: str, vat_mode: VatMode) -> str:
    vat_rate = _percent(part.share.vat_rate)
    line = f"At {vat_rate} VAT: {Money(part.share.net_pence)} net × {rate} = {Money(part.net_pence)}, half up"
    if vat_mode is VatMode.NET_ONLY:
        return f"{line}; the VAT stays as it is."
    if not part.share.vat_pence:
        return f"{line}; no VAT."
    return f"{line}; VAT {vat_rate} of that = {Money(part.vat_pence)}."


def _percent(value: Decimal) -> str:
    shown = f"{value:f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} %"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
