"""Quoting: the same rule that earns, asked beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import Collection, Terms, check_terms
from rebate_service.agreements.schemas import TermsIn
from rebate_service.agreements.store import agreements_of
from rebate_service.rebate_quotes.rules import day_by_day
from rebate_service.rebate_quotes.schemas import QuestionIn, QuotedDayOut, QuoteIn, QuoteOut
from rebate_service.rebates.entry import shares_from
from rebate_service.rebates.proof import proof_of
from rebate_service.rebates.rules import Assessment, Payment, RebateStatus, assess
from rebate_service.rebates.schemas import PartOut

NO_AGREEMENT = "no_agreement"


async def quote_one(session: AsyncSession, asked: QuoteIn) -> QuoteOut:
    """What a payment would earn; raises Malformed for terms that cannot be agreed."""
    [answer] = await _quote_all(session, [asked], at=[""])
    if answer.terms is not None and asked.day_by_day:
        answer.days = _days(asked, answer.terms.terms(), answer.gross_pence)
    return answer


async def quote_all(session: AsyncSession, asked: Sequence[QuestionIn]) -> list[QuoteOut]:
    """What payments would earn, in the order they were asked for; raises Malformed, naming the quote."""
    return await _quote_all(session, asked, at=[f"quotes.{place}." for place in range(len(asked))])


async def _quote_all(session: AsyncSession, asked: Sequence[QuestionIn], *, at: Sequence[str]) -> list[QuoteOut]:
    """By the version in force on the day of receipt, or the terms thought of; `at`: where each is in the request."""
    agreements = await agreements_of(session, [each.supplier_id for each in asked if each.supplier_id])
    quotes = []
    for each, where in zip(asked, at, strict=True):
        if each.terms is not None:
            quotes.append(quote(each, check_terms(each.terms.terms(), at=f"{where}terms.")))
            continue
        version = agreements.of(each.supplier_id, each.received_on) if each.supplier_id else None
        if version is None:
            quotes.append(quote(each, None))
        else:
            quotes.append(quote(each, version.terms, agreement_id=version.agreement_id, number=version.number))
    return quotes


def quote(
    asked: QuestionIn, terms: Terms | None, *, agreement_id: UUID | None = None, number: int | None = None
) -> QuoteOut:
    """One quote with its proof."""
    shares = shares_from(asked.vat_shares)
    payment = Payment(asked.remitted_on, asked.arrives_on, 0, asked.disputed, asked.method)
    result = assess(shares, terms, received_on=asked.received_on, valid_on=asked.valid_on, payment=payment)
    gross = sum(share.net_pence + share.vat_pence for share in shares)
    at_source = terms is not None and terms.collection is Collection.DEDUCT_AT_SOURCE
    deduct = result.rebate_pence if at_source else 0
    outside = result.status is RebateStatus.OUTSIDE
    return QuoteOut(
        supplier_id=asked.supplier_id,
        agreement_id=agreement_id,
        agreement_version=number,
        terms=TermsIn.of(terms) if terms else None,
        cause=NO_AGREEMENT if outside else result.cause,
        clock_started_on=result.clock_started_on,
        clock_ended_on=result.clock_ended_on,
        target_on=result.target_on,
        elapsed_days=result.elapsed_days,
        accelerated_days=result.accelerated_days,
        rate_percent=result.rate_percent or Decimal("0.00"),
        base_pence=result.base_pence,
        parts=[PartOut.of(part) for part in result.parts],
        rebate_net_pence=result.rebate_net_pence,
        rebate_vat_pence=result.rebate_vat_pence,
        rebate_pence=result.rebate_pence,
        expected_pence=result.expected_pence,
        gross_pence=gross,
        deduct_pence=deduct,
        pay_pence=gross - deduct,
        steps=_steps(asked, terms, result, payment),
    )


def _steps(asked: QuestionIn, terms: Terms | None, result: Assessment, payment: Payment) -> list[str]:
    if terms is None:
        return ["No agreement was in force on the day the invoice was received: nothing is earned."]
    return proof_of(terms, result, received_on=asked.received_on, valid_on=asked.valid_on, payment=payment)


def _days(asked: QuestionIn, terms: Terms, gross: int) -> list[QuotedDayOut]:
    at_source = terms.collection is Collection.DEDUCT_AT_SOURCE
    shares = shares_from(asked.vat_shares)
    return [
        QuotedDayOut(**day._asdict(), pay_pence=gross - (day.rebate_pence if at_source else 0))
        for day in day_by_day(shares, terms, received_on=asked.received_on, valid_on=asked.valid_on)
    ]
