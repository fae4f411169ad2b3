"""`/v1/suppliers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import MAX_LIMIT, Page, PageQuery
from council_common.web.preconditions import IfMatch, etag
from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.schemas import BankAccountOut
from supplier_service.bank_accounts.store import accounts_of
from supplier_service.fields import Code, LongText, ShortText
from supplier_service.suppliers import store
from supplier_service.suppliers.bulk import BulkIn, BulkOut, register_bulk
from supplier_service.suppliers.registration import register_supplier
from supplier_service.suppliers.rules import SupplierStatus
from supplier_service.suppliers.schemas import (
    CompanyNumber,
    HoldIn,
    HoldOut,
    ReleaseIn,
    SupplierChangeIn,
    SupplierIn,
    SupplierOut,
)
from supplier_service.suppliers.tables import Supplier
from supplier_service.suppliers.usecases import change_supplier, place_hold, release_hold

router = resource_router("suppliers")


async def _shown(session: AsyncSession, suppliers: Sequence[Supplier]) -> list[SupplierOut]:
    ids = [supplier.id for supplier in suppliers]
    holds, accounts = await store.open_holds(session, ids), await accounts_of(session, ids)
    return [
        SupplierOut.of(supplier, holds=holds[supplier.id], accounts=accounts[supplier.id]) for supplier in suppliers
    ]


async def _shown_with_etag(session: AsyncSession, supplier: Supplier, response: Response) -> SupplierOut:
    response.headers["etag"] = etag(supplier.version)
    return (await _shown(session, [supplier]))[0]


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": SupplierOut}})
async def register(
    supplier: SupplierIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> SupplierOut:
    """Register a supplier. The same content under its source reference again answers 200 with what is there,
    other content 409 with the names of the fields that differ (accounts are compared by their masks). A bank account
    and `phone_since` come from the ERP; a person registers under the source `manual`."""
    supplier_id, created = await register_supplier(session, supplier.new_supplier(), by=by, at=now)
    response.status_code = 201 if created else 200
    response.headers["location"] = f"/v1/suppliers/{supplier_id}"
    return await _shown_with_etag(session, await store.get_supplier(session, supplier_id), response)


@router.post("/bulk", dependencies=[Idempotent], max_body_size=BULK_BODY_LIMIT, response_model_exclude_none=True)
async def register_many(
    suppliers: BulkIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("suppliers:write")]
) -> BulkOut:
    """Register up to 5,000 suppliers. Good items go in; bad ones come back with index, field, problem and what
    was expected. Repeating the request creates nothing twice."""
    return await register_bulk(session, suppliers.items, by=by, at=now)


@router.get("")
async def find(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("suppliers:read")],
    ids: Annotated[list[UUID] | None, Query(max_length=MAX_LIMIT, description="These only; all on one page.")] = None,
    source_system: ShortText | None = None,
    source_reference: LongText | None = None,
    status: SupplierStatus | None = None,
    market_sector: Code | None = None,
    company_number: CompanyNumber | None = None,
    q: Annotated[LongText | None, Query(description="Part of the name, in any case.")] = None,
    held: Annotated[bool | None, Query(description="Whether payments are held, for whatever reason.")] = None,
) -> Page[SupplierOut]:
    """Suppliers, oldest registration first; sorts by registered_at, name or source_reference."""
    wanted = store.SupplierFilter(
        ids, source_system, source_reference, status, market_sector, company_number, q, payments_held=held
    )
    page = replace(page, limit=max(page.limit, len(ids or ())))
    suppliers, following = await store.list_suppliers(session, wanted, page)
    return Page(items=await _shown(session, suppliers), next=following)


@router.get("/{supplier_id}")
async def get(
    supplier_id: UUID, response: Response, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> SupplierOut:
    """One supplier; its ETag is what a change must name."""
    return await _shown_with_etag(session, await store.get_supplier(session, supplier_id), response)


@router.patch("/{supplier_id}")
async def change(
    *,
    supplier_id: UUID,
    changes: SupplierChangeIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
    if_match: IfMatch = None,
) -> SupplierOut:
    """Change a supplier, of the version named by If-Match. Bank details are not changed here. While a bank-account
    change is open contacts and address stay as they are: they are who it is checked with and who is warned."""
    supplier = await change_supplier(session, supplier_id, changes.fields(), if_match=if_match, by=by, at=now)
    return await _shown_with_etag(session, supplier, response)


@router.post("/{supplier_id}/holds", status_code=201, dependencies=[Idempotent])
async def place(
    supplier_id: UUID,
    hold: HoldIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> HoldOut:
    """Hold every payment to a supplier; each hold stands until it is released."""
    return HoldOut.of(await place_hold(session, supplier_id, hold.reason, hold.note, by=by, at=now))


@router.post("/{supplier_id}/holds/{hold_id}/releases", status_code=201, dependencies=[Idempotent])
async def lift(
    *,
    supplier_id: UUID,
    hold_id: UUID,
    release: ReleaseIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> HoldOut:
    """Lift a hold; with the last one the supplier may be paid again. One for suspected fraud or by court order is
    lifted only by an approver of bank-account changes."""
    return HoldOut.of(await release_hold(session, supplier_id, hold_id, release.note, by=by, at=now))


@router.get("/{supplier_id}/bank-accounts")
async def bank_accounts(
    supplier_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> list[BankAccountOut]:
    """A supplier's accounts, masked: the one in use first, then those it superseded."""
    await store.get_supplier(session, supplier_id)
    accounts = (await accounts_of(session, [supplier_id]))[supplier_id]
    ends = [later.in_use_from for later in accounts[1:]] + [None]
    shown = [BankAccountOut.of(account, superseded_at=end) for account, end in zip(accounts, ends, strict=True)]
    return shown[::-1]


@router.get("/{supplier_id}/history")
async def history(
    supplier_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> list[ChangeOut]:
    """Every change of a supplier: who, when, what and why; never bank details."""
    return await history_of(session, (await store.get_supplier(session, supplier_id)).id)
