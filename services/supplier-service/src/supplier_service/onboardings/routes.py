"""`/v1/onboardings`."""

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

from supplier_service.fields import ShortText
from supplier_service.onboardings import store, usecases
from supplier_service.onboardings.rules import Stage
from supplier_service.onboardings.schemas import ActivityIn, ActivityOut, OnboardingIn, OnboardingOut, StageIn
from supplier_service.onboardings.tables import Onboarding

router = resource_router("onboardings")


def _with_etag(onboarding: Onboarding, response: Response) -> OnboardingOut:
    response.headers["etag"] = etag(onboarding.version)
    return OnboardingOut.of(onboarding)


@router.post("", status_code=201, dependencies=[Idempotent])
async def open_onboarding(
    onboarding: OnboardingIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> OnboardingOut:
    """Begin to win a supplier for the early payment programme. With the stage `agreed` and its terms one call
    records a supplier that is in the programme already."""
    opened = await usecases.open_onboarding(
        session, onboarding.supplier_id, owner=onboarding.owner, reached=onboarding.reached(), by=by, at=now
    )
    response.headers["location"] = f"/v1/onboardings/{opened.id}"
    return _with_etag(opened, response)


@router.get("")
async def find(
    *,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("suppliers:read")],
    supplier_id: UUID | None = None,
    stage: Stage | None = None,
    owner: ShortText | None = None,
) -> Page[OnboardingOut]:
    """Onboardings, oldest first; sorts by opened_at or stage."""
    onboardings, following = await store.list_onboardings(
        session, store.OnboardingFilter(supplier_id, stage, owner), page
    )
    return Page(items=[OnboardingOut.of(onboarding) for onboarding in onboardings], next=following)


@router.get("/{onboarding_id}")
async def get(
    onboarding_id: UUID, response: Response, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> OnboardingOut:
    """One onboarding."""
    return _with_etag(await store.get_onboarding(session, onboarding_id), response)


@router.post("/{onboarding_id}/stages", status_code=201, dependencies=[Idempotent])
async def reach_stage(
    *,
    onboarding_id: UUID,
    stage: StageIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> OnboardingOut:
    """Record the stage a supplier reached. To agree needs the terms, which are published to rebate-service; a
    new agreement replaces them. To decline after having agreed is to leave the programme."""
    onboarding = await usecases.reach_stage(session, onboarding_id, stage.reached(), by=by, at=now)
    return _with_etag(onboarding, response)


@router.post("/{onboarding_id}/activities", status_code=201, dependencies=[Idempotent])
async def add_activity(
    onboarding_id: UUID,
    activity: ActivityIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("suppliers:write")],
) -> ActivityOut:
    """Note something done to win a supplier: a call, a meeting, a letter."""
    added = await usecases.add_activity(
        session, onboarding_id, kind=activity.kind, on=activity.on, text=activity.text, by=by, at=now
    )
    return ActivityOut.of(added)


@router.get("/{onboarding_id}/activities")
async def activities(
    onboarding_id: UUID,
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    _: Annotated[Actor, requires("suppliers:read")],
) -> Page[ActivityOut]:
    """What was done to win a supplier, by day."""
    onboarding = await store.get_onboarding(session, onboarding_id)
    found, following = await store.list_activities(session, onboarding.id, page)
    return Page(items=[ActivityOut.of(activity) for activity in found], next=following)


@router.get("/{onboarding_id}/history")
async def history(
    onboarding_id: UUID, session: SessionDep, _: Annotated[Actor, requires("suppliers:read")]
) -> list[ChangeOut]:
    """Every change of an onboarding: who, when, what and why."""
    return await history_of(session, (await store.get_onboarding(session, onboarding_id)).id)
