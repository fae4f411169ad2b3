"""Suppliers over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.holds import ReleaseIn
from council_common.identity.actor import Actor
from council_common.notes.routes import note_routes
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.acts import Act, acting
from council_common.web.bulk import BulkOut, read_items
from council_common.web.dependencies import SessionDep, requires
from council_common.web.keyset import Page
from council_common.web.preconditions import IfMatch
from council_common.web.resource_routes import reading_routes
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.schemas import BankAccountOut
from supplier_service.bank_accounts.store import accounts_of
from supplier_service.suppliers import store
from supplier_service.suppliers.lists import SupplierList
from supplier_service.suppliers.registration import register_supplier, register_suppliers
from supplier_service.suppliers.schemas import (
    HoldIn,
    HoldOut,
    SupplierChangeIn,
    SupplierIn,
    SupplierOut,
    SuppliersIn,
)
from supplier_service.suppliers.tables import Supplier, SupplierHold
from supplier_service.suppliers.usecases import change_supplier, place_hold, release_hold

router = resource_router("suppliers")


async def _shown(session: AsyncSession, suppliers: Sequence[Any]) -> list[SupplierOut]:
    ids = [supplier.id for supplier in suppliers]
    holds, accounts = await store.open_holds(session, ids), await accounts_of(session, ids)
    return [
        SupplierOut.of(supplier, holds=holds[supplier.id], accounts=accounts[supplier.id]) for supplier in suppliers
    ]


@router.post("", status_code=201, responses={200: {"model": SupplierOut}})
async def register(supplier: SupplierIn, act: Annotated[Act, acting("suppliers:write")]) -> SupplierOut:
    """Register a supplier. The same content under its source reference again answers 200 with what is there,
    other content 409 with the names of the fields that differ (accounts are compared by their masks). A bank account
    and `phone_since` come from the ERP; a person registers under the source `manual`."""
    await act.sources.may_use(supplier.source.system)
    supplier_id, is_new = await register_supplier(act.session, supplier.new_supplier(), by=act.by, at=act.at)
    return await _answer(act, await get_row(act.session, Supplier, supplier_id), new=is_new)


@router.post("/bulk", max_body_size=BULK_BODY_LIMIT)
async def register_many(suppliers: SuppliersIn, act: Annotated[Act, acting("suppliers:write")]) -> BulkOut:
    """Register up to 5,000 suppliers. Good items go in; bad ones come back with index, field, problem and what
    was expected. Repeating the request creates nothing twice."""
    good, bad = read_items(SupplierIn, suppliers.items)
    own, others = await act.sources.own(good)
    new = {index: supplier.new_supplier() for index, supplier in own}
    return BulkOut.of([*bad, *others, *await register_suppliers(act.session, new, by=act.by, at=act.at)])


reading_routes(router, SupplierList, SupplierOut, of=Supplier, scope="suppliers:read", show=_shown)
note_routes(router, of=Supplier, read="suppliers:read", write="suppliers:write")


@router.patch("/{supplier_id}")
async def change(
    supplier_id: UUID,
    changes: SupplierChangeIn,
    act: Annotated[Act, acting("suppliers:write")],
    if_match: IfMatch = None,
) -> SupplierOut:
    """Change a supplier, of the version named by If-Match. Bank details are not changed here. While a bank-account
    change is open contacts and address stay as they are: they are who it is checked with and who is warned."""
    supplier = await change_supplier(
        act.session, supplier_id, changes.fields(), if_match=if_match, by=act.by, at=act.at
    )
    return await _answer(act, supplier)


@router.get("/{supplier_id}/holds")
async def list_holds(
    supplier_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> Page[HoldOut]:
    """A supplier's holds, released ones among them; oldest first."""
    await get_row(session, Supplier, supplier_id)
    return Page(items=[HoldOut.of(hold) for hold in await store.holds_of(session, supplier_id)])


@router.post("/{supplier_id}/holds", status_code=201)
async def place(supplier_id: UUID, hold: HoldIn, act: Annotated[Act, acting("suppliers:write")]) -> HoldOut:
    """Hold every payment to a supplier; each hold stands until it is released."""
    placed, version = await place_hold(act.session, supplier_id, hold.reason, hold.note, by=act.by, at=act.at)
    return _answer_hold(act, placed, version)


@router.post("/{supplier_id}/holds/{hold_id}/releases", status_code=201)
async def release(
    supplier_id: UUID, hold_id: UUID, release: ReleaseIn, act: Annotated[Act, acting("suppliers:write")]
) -> HoldOut:
    """Release a hold; with the last one the supplier may be paid again. One for suspected fraud or by court order is
    released only by an approver of bank-account changes."""
    released, version = await release_hold(
        act.session, supplier_id, hold_id, release.reason, release.note, by=act.by, at=act.at
    )
    return _answer_hold(act, released, version)


@router.get("/{supplier_id}/bank-accounts")
async def bank_accounts(
    supplier_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> Page[BankAccountOut]:
    """A supplier's accounts, masked: the one in use first, then those it superseded."""
    await get_row(session, Supplier, supplier_id)
    accounts = (await accounts_of(session, [supplier_id]))[supplier_id]
    ends = zip_longest(accounts, [later.in_use_from for later in accounts[1:]])
    shown = [BankAccountOut.of(account, superseded_at=end) for account, end in ends]
    return Page(items=shown[::-1])


async def _answer(act: Act, supplier: Supplier, *, new: bool = True) -> SupplierOut:
    act.answers(f"{router.prefix}/{supplier.id}", supplier.version, new=new)
    return (await _shown(act.session, [supplier]))[0]


def _answer_hold(act: Act, hold: SupplierHold, version: int) -> HoldOut:
    """A hold belongs to its supplier, whose version the answer names."""
    act.answers(f"{router.prefix}/{hold.supplier_id}/holds/{hold.id}", version)
    return HoldOut.of(hold)
