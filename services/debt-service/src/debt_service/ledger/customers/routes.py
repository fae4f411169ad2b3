"""/v1/customers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from council_common.web.preconditions import IfMatch, etag
from fastapi import Depends, Query, Response

from debt_service.bulk import BulkIn, BulkOut, read_lines
from debt_service.fields import NO_CONTROL_CHARACTERS, WantedText
from debt_service.ledger.customers import store
from debt_service.ledger.customers.rules import CustomerKind
from debt_service.ledger.customers.schemas import CustomerIn, CustomerOut, CustomerPatch
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.customers.usecases import change_customer, register_customers

router = resource_router("customers")


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": CustomerOut}})
async def register(
    customer: CustomerIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("debts:write")],
) -> CustomerOut:
    """Register a customer; 200 with what is there when the source reference is known with the same content."""
    [outcome] = await register_customers(session, [(1, customer.as_new())], by=by, at=now)
    registered = await store.get_customer(session, outcome.raise_if_refused())
    response.status_code = 201 if outcome.result == "created" else 200
    response.headers["etag"] = etag(registered.version)
    return CustomerOut.of(registered)


@router.post("/bulk", dependencies=[Idempotent], max_body_size=BULK_BODY_LIMIT)
async def register_many(
    body: BulkIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]
) -> BulkOut:
    """Register up to 5,000 customers; each line has its own outcome."""
    good, bad = read_lines(CustomerIn, body.items)
    outcomes = await register_customers(session, [(line, customer.as_new()) for line, customer in good], by=by, at=now)
    return BulkOut.of([*outcomes, *bad])


@router.get("")
async def list_customers(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("debts:read")],
    ids: Annotated[list[UUID] | None, Query(max_length=200)] = None,
    source_system: WantedText = None,
    source_reference: Annotated[str | None, Query(max_length=200, pattern=NO_CONTROL_CHARACTERS)] = None,
    kind: CustomerKind | None = None,
    q: Annotated[
        str | None,
        Query(min_length=2, max_length=100, pattern=NO_CONTROL_CHARACTERS, description="A part of the name."),
    ] = None,
) -> Page[CustomerOut]:
    """Customers, filtered, sorted by name or time of registering."""
    customers, cursor = await fetch_page(
        session,
        store.customers_where(ids=ids or [], system=source_system, reference=source_reference, kind=kind, q=q),
        query=page,
        sortable={"created_at": Customer.created_at, "name": Customer.name},
        default="created_at",
        id_column=Customer.id,
    )
    return Page(items=[CustomerOut.of(customer) for customer in customers], next=cursor)


@router.get("/{customer_id}")
async def get(
    customer_id: UUID, response: Response, session: SessionDep, _: Annotated[Actor, requires("debts:read")]
) -> CustomerOut:
    """One customer."""
    customer = await store.get_customer(session, customer_id)
    response.headers["etag"] = etag(customer.version)
    return CustomerOut.of(customer)


@router.patch("/{customer_id}")
async def change(
    *,
    customer_id: UUID,
    patch: CustomerPatch,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("debts:write")],
    if_match: IfMatch = None,
) -> CustomerOut:
    """Change a customer in the version you read (`If-Match`)."""
    customer = await change_customer(
        session, customer_id, patch.values(), if_match=if_match, by=by, at=now, reason=patch.reason
    )
    response.headers["etag"] = etag(customer.version)
    return CustomerOut.of(customer)


@router.get("/{customer_id}/history")
async def history(
    customer_id: UUID, session: SessionDep, _: Annotated[Actor, requires("debts:read")]
) -> list[ChangeOut]:
    """Every change of a customer: who, when and why."""
    await store.get_customer(session, customer_id)
    return await history_of(session, customer_id)
