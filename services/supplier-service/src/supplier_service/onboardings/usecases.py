"""What is done with an onboarding, from the first idea to agreed terms or a no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.suppliers import EarlyPaymentAgreedV1, EarlyPaymentDeclinedV1
from council_common.database.history import record_change
from council_common.events.outbox import publish
from council_common.identity.actor import Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from supplier_service.bank_accounts.rules import refuse_accounts_in
from supplier_service.onboardings import rules, store
from supplier_service.onboardings.rules import ActivityKind, OnboardingExists, Stage
from supplier_service.onboardings.tables import Onboarding, OnboardingActivity
from supplier_service.suppliers.store import lock_supplier
from supplier_service.suppliers.tables import Supplier
from supplier_service.suppliers.usecases import record_on_supplier


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
    supplier = await lock_supplier(session, supplier_id)
    if existing := await store.onboarding_of(session, supplier_id):
        raise OnboardingExists(
            "This supplier has an onboarding; add a stage to that one.", onboarding_id=str(existing.id)
        )
    refuse_accounts_in(note=reached.note)
    onboarding = Onboarding(
        id=new_id(),
        supplier_id=supplier_id,
        version=1,
        stage=Stage.PROSPECT,
        stage_on=london_date(at),
        owner=owner,
        opened_by=by.subject,
        opened_at=at,
    )
    session.add(onboarding)
    is_prospect = reached.stage is Stage.PROSPECT
    await _record(session, onboarding, "opened", by=by, at=at, reason=reached.note if is_prospect else None)
    if not is_prospect:
        await _reach(session, supplier, onboarding, reached, by=by, at=at)
    return onboarding


async def reach_stage(
    session: AsyncSession, onboarding_id: UUID, reached: StageReached, *, by: Actor, at: datetime
) -> Onboarding:
    """Bring an onboarding to a stage.

    Raises IllegalMove, TermsRequired, TermsNotExpected, NotOfThisStage, DateInFuture, DateTooEarly, AccountInText.
    """
    _check(reached, today=london_date(at))
    supplier_id = (await store.get_onboarding(session, onboarding_id)).supplier_id
    supplier = await lock_supplier(session, supplier_id)
    onboarding = await store.lock_onboarding(session, onboarding_id)
    refuse_accounts_in(note=reached.note)
    await _reach(session, supplier, onboarding, reached, by=by, at=at)
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
        rules.check_not_future("on", reached.on, today=today)
    if reached.terms is not None:
        rules.check_not_future("terms.agreed_on", date.fromisoformat(reached.terms["agreed_on"]), today=today)


async def _reach(
    session: AsyncSession, supplier: Supplier, onboarding: Onboarding, reached: StageReached, *, by: Actor, at: datetime
) -> None:
    current, terms = Stage(onboarding.stage), onboarding.terms
    stage = rules.move(current, reached.stage)
    earliest = rules.earliest_day(current, stage_on=onboarding.stage_on, agreed_on=_agreed_on(terms))
    today = london_date(at)
    on = rules.day_reached(reached.on, agreed_on=_agreed_on(reached.terms), earliest=earliest, today=today)
    rules.check_not_before(on, stage=current, earliest=earliest)
    onboarding.stage = stage
    onboarding.stage_on = on
    onboarding.terms = reached.terms or terms
    onboarding.version += 1
    facts = {"terms": reached.terms, "reason": reached.reason}
    detail = {"stage": stage.value, "on": on.isoformat(), **{name: value for name, value in facts.items() if value}}
    await _record(session, onboarding, "stage reached", by=by, at=at, reason=reached.note, detail=detail)
    if reached.stage in {Stage.AGREED, Stage.DECLINED}:
        await _publish_decision(session, supplier, onboarding, reached, by=by, at=at)


def _agreed_on(terms: dict[str, Any] | None) -> date | None:
    return date.fromisoformat(terms["agreed_on"]) if terms else None


async def _publish_decision(
    session: AsyncSession, supplier: Supplier, onboarding: Onboarding, reached: StageReached, *, by: Actor, at: datetime
) -> None:
    """Count the decision as a fact about the supplier, and publish it."""
    detail = {"onboarding_id": str(onboarding.id)}
    await record_on_supplier(
        session, supplier, f"early payment {reached.stage.value}", by=by, at=at, reason=reached.note, detail=detail
    )
    fact = {"supplier_id": supplier.id, "version": supplier.version, "occurred_at": at, "by": by.subject}
    if reached.stage is Stage.AGREED:
        await publish(session, EarlyPaymentAgreedV1.model_validate(fact | (reached.terms or {})))
    else:
        declined = {"declined_on": onboarding.stage_on, "reason": reached.reason}
        await publish(session, EarlyPaymentDeclinedV1.model_validate(fact | declined))


async def add_activity(
    session: AsyncSession,
    onboarding_id: UUID,
    *,
    kind: ActivityKind,
    on: date,
    text: str,
    by: Actor,
    at: datetime,
) -> OnboardingActivity:
    """Note something done to win a supplier. Raises DateInFuture, AccountInText."""
    rules.check_not_future("on", on, today=london_date(at))
    onboarding = await store.lock_onboarding(session, onboarding_id)
    refuse_accounts_in(text=text)
    activity = OnboardingActivity(
        id=new_id(), onboarding_id=onboarding.id, kind=kind, on=on, text=text, added_by=by.subject, added_at=at
    )
    session.add(activity)
    onboarding.version += 1
    await _record(session, onboarding, "activity added", by=by, at=at, detail={"kind": kind.value})
    return activity


async def _record(
    session: AsyncSession,
    onboarding: Onboarding,
    action: str,
    *,
    by: Actor,
    at: datetime,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    await record_change(
        session,
        entity="onboarding",
        entity_id=onboarding.id,
        version=onboarding.version,
        action=action,
        by=by,
        at=at,
        reason=reason,
        detail=detail,
    )
