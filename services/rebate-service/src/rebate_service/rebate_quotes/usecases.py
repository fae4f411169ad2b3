"""Quoting: the rule that earns, applied beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from council_common.errors import Malformed, in_order
from council_common.web.bulk import BulkOut, Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements.rules import AgreementsInForce, Collection, Terms, check_terms
from rebate_service.agreements.schemas import TermsIn
from rebate_service.agreements.store import agreements_of
from rebate_service.rebate_quotes.rules import day_by_day
from rebate_service.rebate_quotes.schemas import (
    QuotedDayOut,
    QuotedPaymentIn,
    QuoteIn,
    QuoteOut,
    QuotesOut,
)
from rebate_service.rebates.proof import proof_of
from rebate_service.rebates.record import amounts_from
from rebate_service.rebates.rules import Assessment, PaymentFacts, RebateStatus, assess
from rebate_service.rebates.schemas import PartOut

NO_AGREEMENT = "no_agreement"


async def quote_one(session: AsyncSession, payment: QuoteIn) -> QuoteOut:
    """What a payment would earn; raises Malformed for terms that cannot be agreed."""
    agreements = await _agreements_of(session, [payment])
    answer = _quote(payment, agreements)
    if answer.terms is not None and payment.day_by_day:
        answer.days = _days(payment, answer.terms.terms(), answer.gross_pence)
    return answer


async def quote_all(
    session: AsyncSession, payments: Sequence[tuple[int, QuotedPaymentIn]], refusals: Sequence[Outcome]
) -> QuotesOut:
    """What payments would earn, each under its index in the request; a bad one has its refusal."""
    agreements = await _agreements_of(session, [payment for _, payment in payments])
    outcomes, quotes = list(refusals), {}
    for index, payment in payments:
        try:
            quotes[index] = _quote(payment, agreements)
            outcomes.append(Outcome(index, "done"))
        except Malformed as unsound:
            outcomes.append(refused(index, unsound))
    answer = BulkOut.of(outcomes).model_dump()
    for verdict in answer["items"]:
        verdict["quote"] = quotes.get(verdict["index"])
    return QuotesOut.model_validate(answer)


async def _agreements_of(session: AsyncSession, payments: Sequence[QuotedPaymentIn]) -> AgreementsInForce:
    return await agreements_of(session, [payment.supplier_id for payment in payments if payment.supplier_id])


def _quote(payment: QuotedPaymentIn, agreements: AgreementsInForce) -> QuoteOut:
    """By the terms in the request, or the version in force on the day of receipt. Raises DatesOutOfOrder."""
    in_order(received_on=payment.received_on, remitted_on=payment.remitted_on)
    if payment.arrives_on is not None:
        in_order(remitted_on=payment.remitted_on, arrives_on=payment.arrives_on)
    if payment.terms is not None:
        return quote(payment, check_terms(payment.terms.terms(), at="terms."))
    version = agreements.of(payment.supplier_id, payment.received_on) if payment.supplier_id else None
    if version is None:
        return quote(payment, None)
    return quote(payment, version.terms, agreement_id=version.agreement_id, number=version.number)


def quote(
    payment: QuotedPaymentIn, terms: Terms | None, *, agreement_id: UUID | None = None, number: int | None = None
) -> QuoteOut:
    """One quote with its proof."""
    amounts = amounts_from(payment.vat_shares)
    facts = PaymentFacts(
        remitted_on=payment.remitted_on,
        arrives_on=payment.arrives_on,
        deducted_pence=0,
        disputed=payment.disputed,
        method=payment.method,
    )
    result = assess(amounts, terms, received_on=payment.received_on, valid_on=payment.valid_on, payment=facts)
    gross = sum(amount.net_pence + amount.vat_pence for amount in amounts)
    at_source = terms is not None and terms.collection is Collection.DEDUCT_AT_SOURCE
    deduct = result.rebate_pence if at_source else 0
    outside = result.status is RebateStatus.OUTSIDE
    return QuoteOut(
        supplier_id=payment.supplier_id,
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
        steps=_steps(payment, terms, result, facts),
    )


def _steps(payment: QuotedPaymentIn, terms: Terms | None, result: Assessment, facts: PaymentFacts) -> list[str]:
    if terms is None:
        return ["No agreement was in force on the day the invoice was received: nothing is earned."]
    return proof_of(terms, result, received_on=payment.received_on, valid_on=payment.valid_on, payment=facts)


def _days(payment: QuotedPaymentIn, terms: Terms, gross: int) -> list[QuotedDayOut]:
    at_source = terms.collection is Collection.DEDUCT_AT_SOURCE
    amounts = amounts_from(payment.vat_shares)
    return [
        QuotedDayOut(**day._asdict(), pay_pence=gross - (day.rebate_pence if at_source else 0))
        for day in day_by_day(amounts, terms, received_on=payment.received_on, valid_on=payment.valid_on)
    ]
