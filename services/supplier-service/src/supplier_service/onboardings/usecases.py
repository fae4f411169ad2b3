"""What is done with an onboarding, from the first idea to agreed terms or a no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import move, not_in_future, not_too_early
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Fact, fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.onboardings import rules, store
from supplier_service.onboardings.rules import ActivityKind, OnboardingExists, Stage
from supplier_service.onboardings.tables import Onboarding, OnboardingActivity
from supplier_service.suppliers.tables import Supplier


@dataclass(frozen=True)
class StageReached:
    """A stage a supplier reached: on which day, with which terms, and why.

    Where no day is named it is the one its terms were agreed on, else today.
    `terms` are the agreed ones as the event carries them, dates as ISO text and the rate as a decimal string.
    """

    stage: Stage
    on: date | None = None
    terms: dict[str, Any] | None = None
    reason: str | None = None
    note: str | None = None


async def open_onboarding(
    session: AsyncSession,
    supplier_id: UUID,
    *,
    owner: str | None,
    reached: StageReached,
    by: Actor,
    at: datetime,
) -> Onboarding:
    """Begin to win a supplier, perhaps at a stage it reached already. Raises OnboardingExists, and as `reach_stage`."""
    _check(reached, today=london_date(at))
    supplier = await lock_row(session, Supplier, supplier_id)
    if existing := await store.onboarding_of(session, supplier_id):
        raise OnboardingExists(
            "This supplier has an onboarding; add a stage to that one.", onboarding_id=str(existing.id)
        )
    onboarding = Onboarding(
        id=new_id(),
        supplier_id=supplier_id,
        version=0,
        stage=Stage.PROSPECT,
        stage_on=london_date(at),
        owner=owner,
        opened_by=by.subject,
        opened_by_name=by.name,
        opened_at=at,
    )
    if reached.stage is Stage.PROSPECT:
        facts = [fact(onboarding, "opened", detail=_given(note=reached.note))]
    else:
        facts = [fact(onboarding, "opened"), *_reach(supplier, onboarding, reached, today=london_date(at))]
    await record(session, *facts, by=by, at=at)
    return onboarding


async def reach_stage(
    session: AsyncSession, onboarding_id: UUID, reached: StageReached, *, by: Actor, at: datetime
) -> Onboarding:
    """Bring an onboarding to a stage.

    Raises IllegalMove, TermsRequired, TermsNotExpected, NotOfThisStage, DateInFuture, DateTooEarly.
    """
    _check(reached, today=london_date(at))
    supplier_id = (await get_row(session, Onboarding, onboarding_id)).supplier_id
    supplier = await lock_row(session, Supplier, supplier_id)
    onboarding = await lock_row(session, Onboarding, onboarding_id)
    await record(session, *_reach(supplier, onboarding, reached, today=london_date(at)), by=by, at=at)
    return onboarding


def _check(reached: StageReached, *, today: date) -> None:
    """Refuse what no stage of any onboarding can be."""
    rules.check_facts_belong(
        reached.stage,
        terms_given=reached.terms is not None,
        reason_given=reached.reason is not None,
        on_given=reached.on is not None,
    )
    if reached.on is not None:
        not_in_future("on", reached.on, today=today)
    if reached.terms is not None:
        not_in_future("terms.agreed_on", date.fromisoformat(reached.terms["agreed_on"]), today=today)


def _reach(supplier: Supplier, onboarding: Onboarding, reached: StageReached, *, today: date) -> list[Fact]:
    """Bring a locked onboarding to a stage: the facts that follow, of the supplier as well where it decided."""
    current, terms = onboarding.stage, onboarding.terms
    stage = move(rules.NEXT, current, reached.stage, thing="The onboarding")
    earliest = rules.earliest_day(current, stage_on=onboarding.stage_on, agreed_on=_agreed_on(terms))
    on = rules.day_reached(reached.on, agreed_on=_agreed_on(reached.terms), earliest=earliest, today=today)
    if earliest is not None:
        not_too_early("on", on, earliest, before="the stage it follows or its terms")
    onboarding.stage, onboarding.stage_on, onboarding.terms = stage, on, reached.terms or terms
    detail = {"stage": stage, "on": on, **_given(terms=reached.terms, note=reached.note)}
    facts = [fact(onboarding, "stage reached", reason=reached.reason, detail=detail)]
    about = {"onboarding_id": str(onboarding.id), **_given(note=reached.note)}
    if stage is Stage.AGREED:
        agreed = reached.terms or {}
        facts.append(fact(supplier, "early payment agreed", EarlyPaymentAgreedV1, detail=about, **agreed))
    elif stage is Stage.DECLINED:
        declined = fact(
            supplier,
            "early payment declined",
            EarlyPaymentDeclinedV1,
            reason=reached.reason,
            detail=about,
            declined_on=on,
        )
        facts.append(declined)
    return facts


def _agreed_on(terms: dict[str, Any] | None) -> date | None:
    return date.fromisoformat(terms["agreed_on"]) if terms else None


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


async def add_activity(
    session: AsyncSession,
    onboarding_id: UUID,
    *,
    kind: ActivityKind,
    on: date,
    text: str,
    by: Actor,
    at: datetime,
) -> tuple[OnboardingActivity, int]:
    """Note something done to win a supplier: it, and the onboarding's new version.

    Raises DateInFuture.
    """
    not_in_future("on", on, today=london_date(at))
    onboarding = await lock_row(session, Onboarding, onboarding_id)
    activity = OnboardingActivity(
        id=new_id(),
        onboarding_id=onboarding.id,
        kind=kind,
        on=on,
        text=text,
        added_by=by.subject,
        added_by_name=by.name,
        added_at=at,
    )
    added = fact(onboarding, "activity added", detail={"kind": kind})
    await record(session, added, also=[activity], by=by, at=at)
    return activity, onboarding.version
