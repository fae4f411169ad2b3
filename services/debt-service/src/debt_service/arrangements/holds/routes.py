"""/v1/holds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends, Query

from debt_service.arrangements.holds import store
from debt_service.arrangements.holds.rules import HoldKind
from debt_service.arrangements.holds.schemas import HoldIn, HoldOut, ReleaseIn
from debt_service.arrangements.holds.tables import Hold
from debt_service.arrangements.holds.usecases import place_hold, release_hold
from debt_service.fields import Day, WantedText

router = resource_router("holds")


@router.post("", status_code=201, dependencies=[Idempotent])
async def place(hold: HoldIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]) -> HoldOut:
    """Stop notices, with a reason, an owner, a review day and a last day."""
    return HoldOut.of(await place_hold(session, hold.as_new(), by=by, at=now))


@router.get("")
async def list_holds(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("debts:read")],
    customer_id: UUID | None = None,
    receivable_id: UUID | None = None,
    kind: HoldKind | None = None,
    owner: WantedText = None,
    released: bool | None = None,
    review_before: Annotated[Day | None, Query(description="To be reviewed before this day.")] = None,
) -> Page[HoldOut]:
    """Holds, filtered; sorted by review date."""
    holds, cursor = await fetch_page(
        session,
        store.holds_where(
            customer_id=customer_id,
            receivable_id=receivable_id,
            kind=kind,
            owner=owner,
            released=released,
            review_before=review_before,
        ),
        query=page,
        sortable={"review_on": Hold.review_on, "placed_at": Hold.placed_at},
        default="review_on",
        id_column=Hold.id,
    )
    return Page(items=[HoldOut.of(hold) for hold in holds], next=cursor)


@router.get("/{hold_id}")
async def get(hold_id: UUID, session: SessionDep, _: Annotated[Actor, requires("debts:read")]) -> HoldOut:
    """One hold."""
    return HoldOut.of(await store.get_hold(session, hold_id))


@router.get("/{hold_id}/history")
async def history(hold_id: UUID, session: SessionDep, _: Annotated[Actor, requires("debts:read")]) -> list[ChangeOut]:
    """Every change of a hold: who, when and why."""
    await store.get_hold(session, hold_id)
    return await history_of(session, hold_id)


@router.post("/{hold_id}/releases", status_code=201, dependencies=[Idempotent])
async def end(
    hold_id: UUID, release: ReleaseIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]
) -> HoldOut:
    """End a hold before its last day."""
    return HoldOut.of(await release_hold(session, hold_id, reason=release.reason, by=by, at=now))
