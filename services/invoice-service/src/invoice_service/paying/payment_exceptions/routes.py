"""Payment exceptions over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import RuntimeDep
from council_common.web.resource_routes import reading_routes

from invoice_service.paying.payment_exceptions.charging import customer_to_charge
from invoice_service.paying.payment_exceptions.lists import PaymentExceptionList
from invoice_service.paying.payment_exceptions.schemas import PaymentExceptionOut, ResolutionIn
from invoice_service.paying.payment_exceptions.tables import PaymentException
from invoice_service.paying.payment_exceptions.usecases import resolve_exception

router = resource_router("payment-exceptions")

reading_routes(router, PaymentExceptionList, PaymentExceptionOut, of=PaymentException, scope="payments:read")


@router.post("/{payment_exception_id}/resolutions", status_code=201)
async def resolve(
    payment_exception_id: UUID,
    resolution: ResolutionIn,
    runtime: RuntimeDep,
    act: Annotated[Act, acting("payment-exceptions:write")],
) -> PaymentExceptionOut:
    """Resolve an exception and say what it came down to; never by who recorded the payment.

    With `receivable_raised` debt-service charges the supplier's customer with the money to recover.
    """
    customer_id = await customer_to_charge(
        act.session,
        payment_exception_id,
        resolution.resolution,
        named=resolution.customer_id,
        clients=runtime.clients,
    )
    found = await resolve_exception(
        act.session,
        payment_exception_id,
        resolution=resolution.resolution,
        note=resolution.note,
        customer_id=customer_id,
        by=act.by,
        at=act.at,
    )
    act.answers(f"{router.prefix}/{found.id}", found.version)
    return PaymentExceptionOut.of(found)
