"""What is read and written of onboardings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.onboardings.rules import NoSuchOnboarding, Stage
from supplier_service.onboardings.tables import Onboarding, OnboardingActivity


async def get_onboarding(session: AsyncSession, onboarding_id: UUID) -> Onboarding:
    """An onboarding; raises NoSuchOnboarding."""
    return _found(await session.get(Onboarding, onboarding_id))


async def lock_onboarding(session: AsyncSession, onboarding_id: UUID) -> Onboarding:
    """An onboarding, locked until the transaction ends. Where the supplier is locked as well, it is locked first."""
    return _found(await session.get(Onboarding, onboarding_id, with_for_update=True, populate_existing=True))


def _found(onboarding: Onboarding | None) -> Onboarding:
    if onboarding is None:
        raise NoSuchOnboarding("There is no onboarding of this id.")
    return onboarding


async def onboarding_of(session: AsyncSession, supplier_id: UUID) -> Onboarding | None:
    """The onboarding of a supplier, if it has one."""
    found = await session.execute(select(Onboarding).where(col(Onboarding.supplier_id) == supplier_id))
    return found.scalar_one_or_none()


@dataclass(frozen=True)
class OnboardingFilter:
    """What a list of onboardings may be narrowed by; None does not narrow."""

    supplier_id: UUID | None = None
    stage: Stage | None = None
    owner: str | None = None


async def list_onboardings(
    session: AsyncSession, wanted: OnboardingFilter, page: PageQuery
) -> tuple[Sequence[Onboarding], str | None]:
    """A page of the onboardings a filter lets through."""
    statement = select(Onboarding)
    for column, value in (
        (col(Onboarding.supplier_id), wanted.supplier_id),
        (col(Onboarding.stage), wanted.stage),
        (col(Onboarding.owner), wanted.owner),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return await fetch_page(
        session,
        statement,
        query=page,
        sortable={"opened_at": Onboarding.id, "stage": Onboarding.stage},
        default="opened_at",
        id_column=Onboarding.id,
    )


async def list_activities(
    session: AsyncSession, onboarding_id: UUID, page: PageQuery
) -> tuple[Sequence[OnboardingActivity], str | None]:
    """A page of an onboarding's activities."""
    return await fetch_page(
        session,
        select(OnboardingActivity).where(col(OnboardingActivity.onboarding_id) == onboarding_id),
        query=page,
        sortable={"on": OnboardingActivity.on},
        default="on",
        id_column=OnboardingActivity.id,
    )
