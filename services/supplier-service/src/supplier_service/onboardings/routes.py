"""Onboardings over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.rows import get_row
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import SessionDep, requires
from council_common.web.keyset import Page
from council_common.web.resource_routes import reading_routes
from fastapi import Query

from supplier_service.onboardings import usecases
from supplier_service.onboardings.lists import ActivityQuery, OnboardingList
from supplier_service.onboardings.schemas import ActivityIn, ActivityOut, OnboardingIn, OnboardingOut, StageIn
from supplier_service.onboardings.tables import Onboarding

router = resource_router("onboardings")


def _answer(act: Act, onboarding: Onboarding) -> OnboardingOut:
    act.answers(f"{router.prefix}/{onboarding.id}", onboarding.version)
    return OnboardingOut.of(onboarding)


@router.post("", status_code=201)
async def open_onboarding(onboarding: OnboardingIn, act: Annotated[Act, acting("suppliers:write")]) -> OnboardingOut:
    """Begin to win a supplier for the early payment programme. With the stage `agreed` and its terms one call
    records a supplier that is in the programme already."""
    opened = await usecases.open_onboarding(
        act.session,
        onboarding.supplier_id,
        owner=onboarding.owner,
        reached=onboarding.reached(),
        by=act.by,
        at=act.at,
    )
    return _answer(act, opened)


reading_routes(router, OnboardingList, OnboardingOut, of=Onboarding, scope="suppliers:read")


@router.post("/{onboarding_id}/stages", status_code=201)
async def reach_stage(
    onboarding_id: UUID, stage: StageIn, act: Annotated[Act, acting("suppliers:write")]
) -> OnboardingOut:
    """Record the stage a supplier reached. To agree needs the terms, which are published to rebate-service; a
    new agreement replaces them. To decline after having agreed is to leave the programme."""
    return _answer(act, await usecases.reach_stage(act.session, onboarding_id, stage.reached(), by=act.by, at=act.at))


@router.post("/{onboarding_id}/activities", status_code=201)
async def add_activity(
    onboarding_id: UUID, activity: ActivityIn, act: Annotated[Act, acting("suppliers:write")]
) -> ActivityOut:
    """Note something done to win a supplier: a call, a meeting, a letter."""
    added, version = await usecases.add_activity(
        act.session, onboarding_id, kind=activity.kind, on=activity.on, text=activity.text, by=act.by, at=act.at
    )
    act.answers(f"{router.prefix}/{onboarding_id}/activities/{added.id}", version)
    return ActivityOut.of(added)


@router.get("/{onboarding_id}/activities")
async def activities(
    onboarding_id: UUID,
    session: SessionDep,
    query: Annotated[ActivityQuery, Query()],
    _: Annotated[Actor, requires("suppliers:read")],
) -> Page[ActivityOut]:
    """What was done to win a supplier, by day."""
    await get_row(session, Onboarding, onboarding_id)
    found, following = await query.page(session, onboarding_id)
    return Page(items=[ActivityOut.of(activity) for activity in found], next=following)
