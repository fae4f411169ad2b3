"""Proposing runs and editing them; the next notice of a debt; recording the delivery of notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.notifications import AddressConfirmedV1, MessageEvent, MessageFailedV1
from council_common.database.rows import get_row, lock_row
from council_common.errors import FieldError, NotFound, not_in_future
from council_common.events.handlers import Received
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from council_common.observability.logs import get_logger
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.ledger.customers.rules import Channel
from debt_service.ledger.customers.store import AddressFailure
from debt_service.ledger.customers.usecases import note_address_failures, note_addresses_work
from debt_service.ledger.receivables.store import values_instead_of
from debt_service.ledger.receivables.usecases import mark_overdue
from debt_service.recovery.dunning_procedures.rules import Ladder, applying, check_run
from debt_service.recovery.dunning_procedures.store import ladders_as_at
from debt_service.recovery.dunning_procedures.tables import DunningProcedure
from debt_service.recovery.dunning_runs import notice_store, store
from debt_service.recovery.dunning_runs.notice_store import DeliveryReport
from debt_service.recovery.dunning_runs.rules import (
    NEXT_DELIVERY,
    NO_USABLE_ADDRESS,
    DeliveryStatus,
    ItemNotOpen,
    NextStep,
    NoSuchDebts,
    RunStatus,
    must_be_proposed,
    next_step,
)
from debt_service.recovery.dunning_runs.selection import ReasonCount, RunScope, propose_items
from debt_service.recovery.dunning_runs.tables import DunningRun

log = get_logger()

ABOUT_NOTICE = "dunning_notice"


async def propose_run(
    session: AsyncSession,
    *,
    procedure_id: UUID | None,
    as_at: date,
    department: str | None,
    debt_type: str | None,
    by: Actor,
    at: datetime,
) -> DunningRun:
    """Mark what is overdue, then propose the next notice of each debt, with the reason where there is none.

    Without a procedure each debt climbs the ladder in force for its type and its customer's kind. The proposal is a
    snapshot; debts that are open in another one are left out (SAP F150). Raises DateInFuture, NoSuchDebts, and for a
    procedure that cannot be followed NotInForce or OtherDebtType.
    """
    not_in_future("as_at", as_at, today=london_date(at))
    ladders, scope = await _ladders(session, procedure_id, as_at, RunScope(department, debt_type))
    await _check_scope(session, department=department, debt_type=debt_type)
    marked = await mark_overdue(session, as_at=as_at, by=by, at=at)
    run = DunningRun(
        id=new_id(),
        version=0,
        status=RunStatus.PROPOSED,
        as_at=as_at,
        procedure_id=procedure_id,
        department=department,
        debt_type=debt_type,
        found={},
        outcome={},
        proposed_by=by.subject,
        proposed_by_name=by.name,
        proposed_at=at,
    )
    found = await propose_items(session, run.id, ladders, scope, as_at=as_at)
    run.found = {"became_overdue": marked, **_summary(found)}
    await record(session, fact(run, "proposed"), by=by, at=at)
    log.info("dunning_run_proposed", run_id=str(run.id), as_at=str(as_at), proposed=run.found["proposed"])
    return run


async def _check_scope(session: AsyncSession, **wanted: str | None) -> None:
    """Raise NoSuchDebts for a department or a type that no debt has: it is misspelled, and the run would be empty."""
    errors = [
        FieldError(name, "no debt has this", f"one of {', '.join(others)}" if others else "raise debts first")
        for name, value in wanted.items()
        if value is not None and (others := await values_instead_of(session, name, value)) is not None
    ]
    if errors:
        raise NoSuchDebts("A run over these debts would find none; see errors.", errors=errors)


async def _ladders(
    session: AsyncSession, procedure_id: UUID | None, as_at: date, scope: RunScope
) -> tuple[list[Ladder], RunScope]:
    if procedure_id is None:
        return await ladders_as_at(session, as_at), scope
    chosen = (await get_row(session, DunningProcedure, procedure_id)).ladder()
    check_run(chosen, debt_type=scope.debt_type, as_at=as_at)
    # A procedure that an officer names applies to the debts it is for, even where there are newer versions.
    for_all = Ladder(chosen.id, None, None, chosen.effective_from, chosen.levels)
    narrowed = RunScope(scope.department, scope.debt_type or chosen.debt_type, chosen.customer_kind)
    return [for_all], narrowed


def _summary(found: Sequence[ReasonCount]) -> dict[str, Any]:
    proposed = [count for count in found if count.reason is None]
    reasons: dict[str, int] = {}
    for count in found:
        if count.reason is not None:
            reasons[count.reason] = reasons.get(count.reason, 0) + count.debts
    return {
        "overdue": sum(count.debts for count in found),
        "proposed": sum(count.debts for count in proposed),
        "proposed_pence": sum(count.pence for count in proposed),
        "by_level": [
            {"level": count.level, "debts": count.debts, "outstanding_pence": count.pence}
            for count in sorted(proposed, key=lambda count: count.level)
        ],
        "not_proposed": dict(sorted(reasons.items())),
    }


async def exclude_item(
    session: AsyncSession, run_id: UUID, receivable_id: UUID, *, note: str, by: Actor, at: datetime
) -> DunningRun:
    """Take one debt out of a proposal: the snapshot stays, the run's history has who, when and why.

    Raises NotFound, IllegalMove for a run that was approved or cancelled, and ItemNotOpen.
    """
    run = await lock_row(session, DunningRun, run_id)
    must_be_proposed(run.status, "edited")
    if not await store.exclude_item(session, run_id, receivable_id):
        item, _ = await store.get_item(session, run_id, receivable_id)
        raise ItemNotOpen(f"This item is {item.state}: only proposed ones are excluded.")
    detail = {"receivable_id": receivable_id, "note": note}
    await record(session, fact(run, "item excluded", detail=detail), by=by, at=at)
    return run


async def explain_next(session: AsyncSession, receivable_id: UUID, *, as_at: date) -> tuple[NextStep, Ladder | None]:
    """The next notice of one debt on a day, or why there is none: computed from the facts, never stored.

    Raises NotFound.
    """
    found = await notice_store.facts_of(session, receivable_id, as_at=as_at)
    if found is None:
        raise NotFound.of("receivable")
    facts, debt_type, kind = found
    ladder = applying(await ladders_as_at(session, as_at), debt_type=debt_type, customer_kind=kind, as_at=as_at)
    return next_step(facts, ladder, as_at=as_at), ladder


async def lock_debts_of_notices(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
    """Lock the debts whose notices some messages are about, in the order of their ids; before them their customers."""
    events = [message.event for message in received if message.event.about_kind == ABOUT_NOTICE]
    notice_ids = [event.about_id for event in events]
    if notice_ids:
        failed = [
            event.about_id
            for event in events
            if isinstance(event, MessageFailedV1) and event.reason in NO_USABLE_ADDRESS
        ]
        await notice_store.lock_customers(session, notice_ids, failed)
        await notice_store.lock_noticed(session, notice_ids)


async def note_delivery(session: AsyncSession, status: DeliveryStatus, received: Sequence[Received[Any]]) -> None:
    """Record how far notices got; an older fact never overwrites a final one.

    A notice that never left (held back, no address, no template) is no step on the ladder: the debt stands at the last
    notice that left. Their debts are locked (`lock_debts_of_notices`).
    """
    reports = [_report(message.event) for message in received if message.event.about_kind == ABOUT_NOTICE]
    if not reports:
        return
    levels = await notice_store.lock_noticed(session, [report.notice_id for report in reports])
    before = [before for before, following in NEXT_DELIVERY.items() if status in following]
    moved = await notice_store.note_delivery(session, status, reports, from_statuses=before)
    await _note_addresses(session, status, moved, at=received[0].now)
    changes = [
        Change(
            "receivable",
            receivable_id,
            version,
            "level reset",
            detail={"level": level, "level_before": levels[receivable_id]},
        )
        for receivable_id, version, level in await notice_store.reset_levels(session, list(levels))
        if level != levels[receivable_id]
    ]
    if changes:
        log.info("dunning_levels_reset", debts=len(changes))
    await record_many(session, changes, by=SYSTEM, at=received[0].now)


async def _note_addresses(session: AsyncSession, status: DeliveryStatus, moved: Sequence[Any], *, at: datetime) -> None:
    """What the fate of notices says of their customers' addresses, for every debt of theirs."""
    if status is not DeliveryStatus.FAILED:
        left = [(row["customer_id"], Channel(row["channel"]), row["at"]) for row in moved]
        await note_addresses_work(session, left, at=at)
        return
    failures = [
        AddressFailure(row["customer_id"], Channel(row["channel"]), row["at"], row["reason"])
        for row in moved
        if row["reason"] in NO_USABLE_ADDRESS
    ]
    await note_address_failures(session, failures, at=at)


async def note_confirmed_addresses(session: AsyncSession, received: Sequence[Received[AddressConfirmedV1]]) -> None:
    """An officer found out, with a reason that notification-service keeps, that customers' addresses work again."""
    working = [
        (confirmed.event.recipient_id, Channel(confirmed.event.channel), confirmed.event.occurred_at)
        for confirmed in received
        if confirmed.event.recipient_kind == "customer" and confirmed.event.channel in set(Channel)
    ]
    await note_addresses_work(session, working, at=received[0].now)


def _report(event: MessageEvent) -> DeliveryReport:
    reason, has_left = None, True
    if isinstance(event, MessageFailedV1):
        reason, has_left = event.reason, event.was_sent
    return DeliveryReport(
        notice_id=event.about_id,
        at=event.occurred_at,
        message_id=event.message_id,
        template=event.template,
        reason=reason,
        sent_on=london_date(event.occurred_at) if has_left else None,
    )
