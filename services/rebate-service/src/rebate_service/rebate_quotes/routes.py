"""Quotes over HTTP."""

from __future__ import annotations

from typing import Annotated

from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.bulk import read_items
from council_common.web.dependencies import SessionDep, requires

from rebate_service.rebate_quotes.schemas import QuotedPaymentIn, QuoteIn, QuoteOut, QuotesIn, QuotesOut
from rebate_service.rebate_quotes.usecases import quote_all, quote_one

router = resource_router("rebate-quotes")

Reader = Annotated[Actor, requires("rebates:read")]


@router.post("")
async def quote(payment: QuoteIn, session: SessionDep, _: Reader) -> QuoteOut:
    """What a payment would earn, with the arithmetic; nothing is stored."""
    return await quote_one(session, payment)


@router.post("/bulk")
async def quote_many(payments: QuotesIn, session: SessionDep, _: Reader) -> QuotesOut:
    """Up to 500 quotes at once, as a payment run asks; nothing is stored."""
    good, bad = read_items(QuotedPaymentIn, payments.items)
    return await quote_all(session, good, bad)
