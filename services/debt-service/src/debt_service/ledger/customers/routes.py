"""Customers over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.rows import get_row
from council_common.notes.routes import note_routes
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, acting
from council_common.web.bulk import BulkOut, read_items
from council_common.web.preconditions import IfMatch
from council_common.web.resource_routes import reading_routes

from debt_service.ledger.customers.lists import CustomerList
from debt_service.ledger.customers.schemas import CustomerChangeIn, CustomerIn, CustomerOut, CustomersIn
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.customers.usecases import change_customer, register_customers

router = resource_router("customers")


@router.post("", status_code=201, responses={200: {"model": CustomerOut}})
async def register(customer: CustomerIn, act: Annotated[Act, acting("debts:write")]) -> CustomerOut:
    """Register a customer; 200 with what is there when the source reference is known with the same content."""
    await act.sources.may_use(customer.source.system)
    [outcome] = await register_customers(act.session, [(0, customer.as_new())], by=act.by, at=act.at)
    registered = await get_row(act.session, Customer, outcome.id_or_refusal())
    act.answers(f"{router.prefix}/{registered.id}", registered.version, new=outcome.result == "created")
    return CustomerOut.of(registered)


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def register_many(customers: CustomersIn, act: Annotated[Act, acting("debts:write")]) -> BulkOut:
    """Register up to 5,000 customers; each item has its own verdict."""
    good, bad = read_items(CustomerIn, customers.items)
    own, others = await act.sources.own(good)
    new = [(index, customer.as_new()) for index, customer in own]
    return BulkOut.of([*await register_customers(act.session, new, by=act.by, at=act.at), *others, *bad])


reading_routes(router, CustomerList, CustomerOut, of=Customer, scope="debts:read")
note_routes(router, of=Customer, read="debts:read", write="debts:write")


@router.patch("/{customer_id}")
async def change(
    customer_id: UUID,
    changes: CustomerChangeIn,
    act: Annotated[Act, acting("debts:write")],
    if_match: IfMatch = None,
) -> CustomerOut:
    """Change a customer, of the version named by If-Match."""
    customer = await change_customer(
        act.session, customer_id, changes.fields(), note=changes.note, if_match=if_match, by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{customer.id}", customer.version)
    return CustomerOut.of(customer)
