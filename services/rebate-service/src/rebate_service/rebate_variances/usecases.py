"""What is done with variances: found, replaced by another look, settled by somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from council_common.contracts.rebates import (
    RebateVarianceFoundV1,
    RebateVarianceResolvedV1,
    UnagreedDeductionFoundV1,
)
from council_common.database.history import record_change
from council_common.errors import FieldError, Malformed
from council_common.events.contract import Event
from council_common.events.outbox import publish
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebate_variances import rules, store
from rebate_service.rebate_variances.rules import OWNER, Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebates.announcements import RebateChange
from rebate_service.rebates.entry import Entry
from rebate_service.rebates.rules import RebateStatus, VarianceCause
from rebate_service.rebates.store import count_facts


async def compare_deductions(session: AsyncSession, told: Sequence[RebateChange], *, at: datetime) -> None:
    """Open a variance where what was deducted is not what was earned; one that no longer holds is settled."""
    differing = [each for each in told if _variance(each.before) != _variance(each.after)]
    if not differing:
        return
    gone = {
        each.before.id: Resolution.PAYMENT_RETURNED
        if each.after.status == RebateStatus.REVERSED
        else Resolution.ASSESSED_AGAIN
        for each in differing
        if each.before is not None and each.before.variance_pence
    }
    found = [(_found(each.after, at), each) for each in differing if each.after.variance_pence]
    closed = await store.close_open(session, dict(gone), at=at, by=SYSTEM) if gone else []
    await store.add(session, [variance for variance, _ in found])
    # Each further fact about a rebate counts its version on: subscribers drop what is not newer than what they saw.
    facts = Counter([variance.rebate_id for variance in closed] + [variance.rebate_id for variance, _ in found])
    last = await count_facts(session, facts)
    events: list[Event] = [
        _resolved(
            each, gone[each.rebate_id], version=last[each.rebate_id] - facts[each.rebate_id] + 1, at=at, by=SYSTEM
        )
        for each in closed
    ]
    events += [_found_event(variance, each, version=last[variance.rebate_id], at=at) for variance, each in found]
    await publish(session, *events)


def _variance(entry: Entry | None) -> tuple[int, str | None, int]:
    if entry is None or not entry.variance_pence:
        return 0, None, 0
    return entry.variance_pence, entry.variance_cause, entry.rebate_pence


def _found(entry: Entry, at: datetime) -> RebateVariance:
    if entry.payment_id is None:
        raise ValueError("only a payment can have a variance")
    return RebateVariance(
        id=new_id(),
        version=1,
        rebate_id=entry.id,
        invoice_id=entry.invoice_id,
        payment_id=entry.payment_id,
        supplier_id=entry.supplier_id,
        invoice_number=entry.invoice_number,
        earned_pence=entry.rebate_pence,
        deducted_pence=entry.deducted_pence,
        difference_pence=entry.variance_pence,
        cause=VarianceCause(entry.variance_cause or ""),
        owner=OWNER,
        status=VarianceStatus.OPEN,
        found_at=at,
    )


def _found_event(variance: RebateVariance, told: RebateChange, *, version: int, at: datetime) -> Event:
    entry = told.after
    if entry.agreement_id is None or entry.agreement_version is None:
        return UnagreedDeductionFoundV1(
            version=version,
            occurred_at=at,
            by=told.by,
            rebate_id=entry.id,
            invoice_id=entry.invoice_id,
            supplier_id=entry.supplier_id,
            payment_id=variance.payment_id,
            deducted_pence=entry.deducted_pence,
            cause=variance.cause,
        )
    return RebateVarianceFoundV1(
        version=version,
        occurred_at=at,
        by=told.by,
        rebate_id=entry.id,
        invoice_id=entry.invoice_id,
        supplier_id=entry.supplier_id,
        agreement_id=entry.agreement_id,
        agreement_version=entry.agreement_version,
        payment_id=variance.payment_id,
        earned_pence=variance.earned_pence,
        deducted_pence=variance.deducted_pence,
        difference_pence=variance.difference_pence,
        cause=variance.cause,
    )


async def resolve_variance(
    session: AsyncSession, variance_id: UUID, *, resolution: Resolution, note: str | None, by: Actor, at: datetime
) -> RebateVariance:
    """Settle a variance and say how; raises IllegalMove when it is settled."""
    if resolution in rules.AUTOMATIC:
        allowed = ", ".join(sorted(set(Resolution) - rules.AUTOMATIC))
        raise Malformed(
            "This resolution is the platform's own.", errors=[FieldError("resolution", "is not for people", allowed)]
        )
    # The rebate first, as whoever assesses it again and closes its variance: two orders could wait for one another.
    rebate_id = (await store.get_variance(session, variance_id)).rebate_id
    version = (await count_facts(session, {rebate_id: 1}))[rebate_id]
    variance = await store.lock_variance(session, variance_id)
    variance.status = rules.resolve(variance.status)
    variance.resolution, variance.note = resolution.value, note
    variance.resolved_at, variance.resolved_by = at, by.subject
    variance.version += 1
    await record_change(
        session,
        entity="rebate_variance",
        entity_id=variance.id,
        version=variance.version,
        action="resolved",
        by=by,
        at=at,
        reason=note,
        detail={"resolution": resolution.value},
    )
    await publish(session, _resolved(variance, resolution, version=version, at=at, by=by))
    return variance


def _resolved(
    variance: RebateVariance, resolution: Resolution, *, version: int, at: datetime, by: Actor
) -> RebateVarianceResolvedV1:
    return RebateVarianceResolvedV1(
        version=version,
        occurred_at=at,
        by=by.subject,
        rebate_id=variance.rebate_id,
        invoice_id=variance.invoice_id,
        supplier_id=variance.supplier_id,
        variance_id=variance.id,
        payment_id=variance.payment_id,
        difference_pence=variance.difference_pence,
        cause=variance.cause,
        resolution=resolution.value,
    )
