"""What the list of onboardings is narrowed by, sorted by, and shows as CSV; and pages of activities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from council_common.fields import Day, TextFilter
from council_common.web.keyset import Order, fetch_page
from council_common.web.lists import ResourceList
from council_common.web.query_models import PageQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from supplier_service.onboardings.rules import Stage
from supplier_service.onboardings.tables import Onboarding, OnboardingActivity
from supplier_service.suppliers.tables import Supplier

_C: Any = Onboarding.__table__.c  # type: ignore[attr-defined]
_ACTIVITY: Any = OnboardingActivity.__table__.c  # type: ignore[attr-defined]
_BY_DAY = Order("on", _ACTIVITY.on, _ACTIVITY.id)
_SUPPLIER_NAME = select(col(Supplier.name)).where(col(Supplier.id) == _C.supplier_id).scalar_subquery()
_TERMS = ("agreed_on", "effective_from", "term_days", "target_day", "reference_rate_percent")


class OnboardingList(
    ResourceList,
    of=Onboarding,
    sorts=("opened_at",),
    default="opened_at",
    csv=(
        *("id", "supplier_id", _SUPPLIER_NAME.label("supplier_name"), "stage", "stage_on", "owner"),
        *("opened_by", "opened_by_name", "opened_at"),
        *(_C.terms[name].astext.label(name) for name in _TERMS),
    ),
):
    """Onboardings that meet every condition given. The CSV has the main terms agreed last."""

    supplier_id: UUID | None = None
    stage: Stage | None = None
    owner: TextFilter | None = None
    opened_from: Day | None = None
    opened_to: Day | None = None


class ActivityQuery(PageQuery):
    """Which page of an onboarding's activities."""

    async def page(self, session: AsyncSession, onboarding_id: UUID) -> tuple[Sequence[Any], str | None]:
        """The activities, by day, and the cursor of the next page."""
        statement = select(*_ACTIVITY).where(_ACTIVITY.onboarding_id == onboarding_id)
        return await fetch_page(session, statement, _BY_DAY, limit=self.limit, cursor=self.cursor)
