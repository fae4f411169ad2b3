"""/v1/holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from debt_service.arrangements.holds import store
from debt_service.arrangements.holds.rules import HoldKind, NewHold
from debt_service.arrangements.holds.tables import Hold
from debt_service.arrangements.holds.usecases import place_hold, release_hold
from debt_service.fields import Day, Sentence, Short, WantedText

router = resource_router("holds")


class HoldIn(BaseModel):
    """A hold on one receivable, or on everything of a customer."""

    model_config = ConfigDict(extra="forbid")

    receivable_id: UUID | None = None
    customer_id: UUID | None = None
    kind: HoldKind
    reason: Sentence
    owner: Annotated[Short, Field(description="Who looks after it: a person's or a team's id.")]
    review_on: Day
    ends_on: Annotated[Day, Field(description="Its last day; released by itself the day after.")]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.receivable_id is None) == (self.customer_id is None):
            raise ValueError("name receivable_id or customer_id, one of the two")
        return self

    def as_new(self) -> NewHold:
        return NewHold(**{name: getattr(self, name) for name in NewHold.__slots__})


class ReleaseIn(BaseModel):
    """Why a hold ends."""

    model_config = ConfigDict(extra="forbid")

    reason: Sentence


class HoldOut(BaseModel):
    """A hold."""

    id: UUID
    version: int
    customer_id: UUID
    receivable_id: UUID | None
    kind: HoldKind
    reason: str
    owner: str
    placed_on: date
    review_on: date
    ends_on: date
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None

    @staticmethod
    def of(hold: Hold) -> HoldOut:
        return HoldOut(**hold.values())


@router.post("", status_code=201, dependencies=[Idempotent])
async def place(body: HoldIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]) -> HoldOut:
    """Stop letters, with a reason, an owner, a day to look at it again and a last day."""
    return HoldOut.of(await place_hold(session, body.as_new(), by=by, at=now))


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
    review_before: Annotated[Day | None, Query(description="To be looked at before this day.")] = None,
) -> Page[HoldOut]:
    """Holds, filtered; sorted by review date."""
    items, cursor = await fetch_page(
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
    return Page(items=[HoldOut.of(each) for each in items], next=cursor)


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
async def release(
    hold_id: UUID, body: ReleaseIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]
) -> HoldOut:
    """End a hold before its time."""
    return HoldOut.of(await release_hold(session, hold_id, reason=body.reason, by=by, at=now))
