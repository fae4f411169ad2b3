"""Payments over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, acting, acting_at_once
from council_common.web.bulk import BulkOut, read_items
from council_common.web.resource_routes import reading_routes

from invoice_service.paying.payments.bulk_recording import record_payments
from invoice_service.paying.payments.lists import PaymentList
from invoice_service.paying.payments.schemas import PaymentIn, PaymentOut, PaymentsIn, ReturnIn
from invoice_service.paying.payments.tables import Payment
from invoice_service.paying.payments.usecases import record_payment, return_payment

router = resource_router("payments")


@router.post("", status_code=201, responses={200: {"model": PaymentOut}})
async def record(payment: PaymentIn, act: Annotated[Act, acting_at_once("payments:write")]) -> PaymentOut:
    """Record what the paying system did; the same source reference again answers 200.

    A payment that breaks a rule (of an invoice that is held, not approved or settled before; too much; before receipt)
    happened all the same: it is recorded, and each rule is a payment exception to be resolved.
    """
    await act.sources.may_use(payment.source.system)
    recorded, is_new = await record_payment(act.session, payment.new_payment(), by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{recorded.id}", recorded.version, new=is_new)
    return PaymentOut.of(recorded)


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def record_many(payments: PaymentsIn, act: Annotated[Act, acting("payments:write")]) -> BulkOut:
    """Record up to 5,000 payments by the rules of one, in their order; each item has its own verdict."""
    good, bad = read_items(PaymentIn, payments.items)
    own, others = await act.sources.own(good)
    news = [(index, payment.new_payment()) for index, payment in own]
    return BulkOut.of([*await record_payments(act.session, news, by=act.by, at=act.at), *others, *bad])


reading_routes(router, PaymentList, PaymentOut, of=Payment, scope="payments:read")


@router.post("/{payment_id}/returns", status_code=201, responses={200: {"model": PaymentOut}})
async def return_(payment_id: UUID, came_back: ReturnIn, act: Annotated[Act, acting("payments:write")]) -> PaymentOut:
    """Record that a payment came back, once; its invoice is owed again. The same sent again answers 200."""
    payment, is_new = await return_payment(
        act.session,
        payment_id,
        reason=came_back.reason,
        note=came_back.note,
        returned_on=came_back.returned_on,
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{payment.id}", payment.version, new=is_new)
    return PaymentOut.of(payment)
