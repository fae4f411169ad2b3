"""Payments over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Response

from invoice_service.paying.payments import store
from invoice_service.paying.payments.schemas import PaymentFilter, PaymentIn, PaymentOut, ReturnIn
from invoice_service.paying.payments.usecases import NewPayment, record_payment, return_payment

router = resource_router("payments")


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": PaymentOut}})
async def record(
    told: PaymentIn,
    session: SessionDep,
    now: Now,
    response: Response,
    by: Annotated[Actor, requires("payments:write")],
) -> PaymentOut:
    """Record a payment of an approved invoice that is not held. The same source reference again answers 200."""
    new = NewPayment(
        **told.model_dump(exclude={"source"}),
        source_system=told.source.system,
        source_reference=told.source.reference,
    )
    payment, is_new = await record_payment(session, new, by=by, at=now)
    response.status_code = 201 if is_new else 200
    response.headers["location"] = f"/v1/payments/{payment.id}"
    response.headers["etag"] = etag(payment.version)
    return PaymentOut.of(payment)


@router.get("")
async def list_payments(
    session: SessionDep,
    wanted: Annotated[PaymentFilter, Depends()],
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("payments:read")],
) -> Page[PaymentOut]:
    """List payments; sorts by remitted_on, paid_pence or id."""
    payments, following = await store.list_payments(session, wanted.statement(), page)
    return Page(items=[PaymentOut.of(payment) for payment in payments], next=following)


@router.get("/{payment_id}")
async def read(
    payment_id: UUID, session: SessionDep, response: Response, _: Annotated[Actor, requires("payments:read")]
) -> PaymentOut:
    """One payment."""
    payment = await store.get_payment(session, payment_id)
    response.headers["etag"] = etag(payment.version)
    return PaymentOut.of(payment)


@router.get("/{payment_id}/history")
async def history(
    payment_id: UUID, session: SessionDep, _: Annotated[Actor, requires("payments:read")]
) -> list[ChangeOut]:
    """Every change of a payment: who, when, why; oldest first."""
    await store.get_payment(session, payment_id)
    return await history_of(session, payment_id)


@router.post("/{payment_id}/returns", status_code=201, dependencies=[Idempotent])
async def return_(
    payment_id: UUID,
    told: ReturnIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("payments:write")],
) -> PaymentOut:
    """Record that a payment came back, once; its invoice is owed again."""
    payment = await return_payment(
        session, payment_id, reason=told.reason_code, returned_on=told.returned_on, by=by, at=now
    )
    return PaymentOut.of(payment)
