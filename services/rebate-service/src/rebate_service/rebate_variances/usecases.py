"""What is done with variances: found, resolved when assessed again, resolved by the coordinator."""

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
from rebate_service.rebates.events import RebateChange
from rebate_service.rebates.record import RebateRecord
from rebate_service.rebates.rules import RebateStatus, VarianceCause
from rebate_service.rebates.store import raise_versions


async def compare_deductions(session: AsyncSession, changes: Sequence[RebateChange], *, at: datetime) -> None:
    """Open a variance where what was deducted is not what was earned; resolve one that no longer holds."""
    differing = [change for change in changes if _difference(change.before) != _difference(change.after)]
    if not differing:
        return
    resolutions = {
        change.before.id: Resolution.PAYMENT_RETURNED
        if change.after.status == RebateStatus.REVERSED
        else Resolution.ASSESSED_AGAIN
        for change in differing
        if change.before is not None and change.before.variance_pence
    }
    found = [(_variance(change.after, at), change) for change in differing if change.after.variance_pence]
    resolved = await store.resolve_open_variances(session, resolutions, at=at, by=SYSTEM) if resolutions else []
    await store.insert_variances(session, [variance for variance, _ in found])
    # Each further fact about a rebate raises its version: subscribers drop what is not newer than what they saw.
    facts = Counter([variance.rebate_id for variance in resolved] + [variance.rebate_id for variance, _ in found])
    last = await raise_versions(session, facts)
    events: list[Event] = [
        _resolved_event(
            variance,
            resolutions[variance.rebate_id],
            version=last[variance.rebate_id] - facts[variance.rebate_id] + 1,
            at=at,
            by=SYSTEM,
        )
        for variance in resolved
    ]
    events += [_found_event(variance, change, version=last[variance.rebate_id], at=at) for variance, change in found]
    await publish(session, *events)


def _difference(record: RebateRecord | None) -> tuple[int, str | None, int]:
    """What a variance would say of a record: deducted less earned, why, and what was earned."""
    if record is None or not record.variance_pence:
        return 0, None, 0
    return record.variance_pence, record.variance_cause, record.rebate_pence


def _variance(record: RebateRecord, at: datetime) -> RebateVariance:
    if record.payment_id is None:
        raise ValueError("only a payment can have a variance")
    return RebateVariance(
        id=new_id(),
        version=1,
        rebate_id=record.id,
        invoice_id=record.invoice_id,
        payment_id=record.payment_id,
        supplier_id=record.supplier_id,
        invoice_number=record.invoice_number,
        earned_pence=record.rebate_pence,
        deducted_pence=record.deducted_pence,
        difference_pence=record.variance_pence,
        cause=VarianceCause(record.variance_cause or ""),
        owner=OWNER,
        status=VarianceStatus.OPEN,
        found_at=at,
    )


def _found_event(variance: RebateVariance, change: RebateChange, *, version: int, at: datetime) -> Event:
    record = change.after
    if record.agreement_id is None or record.agreement_version is None:
        return UnagreedDeductionFoundV1(
            version=version,
            occurred_at=at,
            by=change.by,
            rebate_id=record.id,
            invoice_id=record.invoice_id,
            supplier_id=record.supplier_id,
            payment_id=variance.payment_id,
            deducted_pence=record.deducted_pence,
            cause=variance.cause,
        )
    return RebateVarianceFoundV1(
        version=version,
        occurred_at=at,
        by=change.by,
        rebate_id=record.id,
        invoice_id=record.invoice_id,
        supplier_id=record.supplier_id,
        agreement_id=record.agreement_id,
        agreement_version=record.agreement_version,
        payment_id=variance.payment_id,
        earned_pence=variance.earned_pence,
        deducted_pence=variance.deducted_pence,
        difference_pence=variance.difference_pence,
        cause=variance.cause,
    )


async def resolve_variance(
    session: AsyncSession, variance_id: UUID, *, resolution: Resolution, note: str | None, by: Actor, at: datetime
) -> RebateVariance:
    """Resolve a variance and record how; raises IllegalMove when it is resolved already."""
    if resolution in rules.AUTOMATIC:
        allowed = ", ".join(sorted(set(Resolution) - rules.AUTOMATIC))
        raise Malformed(
            "This resolution is set by the platform only.",
            errors=[FieldError("resolution", "is set by the platform only", allowed)],
        )
    # The rebate is locked first, as by every transaction that assesses it again and resolves its variance: in two
    # orders they could wait for one another.
    rebate_id = (await store.get_variance(session, variance_id)).rebate_id
    version = (await raise_versions(session, {rebate_id: 1}))[rebate_id]
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
    await publish(session, _resolved_event(variance, resolution, version=version, at=at, by=by))
    return variance


def _resolved_event(
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
