"""What is done with variances: found, resolved when assessed again, resolved by the coordinator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.contracts.rebates import (
    RebateVarianceFoundV1,
    RebateVarianceResolvedV1,
    UnagreedDeductionFoundV1,
)
from council_common.database.rows import get_row, lock_row
from council_common.errors import FieldError, Malformed, move
from council_common.events.contract import Event
from council_common.identity.actor import SYSTEM, Actor
from council_common.ids import new_id
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.rebate_variances import rules, store
from rebate_service.rebate_variances.rules import NEXT, OWNER, Resolution, VarianceStatus
from rebate_service.rebate_variances.tables import RebateVariance
from rebate_service.rebates.events import RebateChange
from rebate_service.rebates.record import RebateRecord
from rebate_service.rebates.rules import RebateStatus, VarianceCause
from rebate_service.rebates.store import raise_versions
from rebate_service.rebates.tables import Rebate


async def compare_deductions(session: AsyncSession, changes: Sequence[RebateChange], *, at: datetime) -> None:
    """Open a variance where what was deducted is not what was earned; resolve one that no longer holds.

    Either is a fact about the rebate as well, with a version of its own: subscribers drop what is not newer than what
    they saw.
    """
    differing = [change for change in changes if _difference(change.before) != _difference(change.after)]
    if not differing:
        return
    resolutions = {
        change.before.id: Resolution.PAYMENT_RETURNED
        if change.after.status is RebateStatus.REVERSED
        else Resolution.ASSESSED_AGAIN
        for change in differing
        if change.before is not None and change.before.assessment.variance_pence
    }
    found = [(_variance(change.after, at), change) for change in differing if change.after.assessment.variance_pence]
    resolved = await store.resolve_open_variances(session, resolutions, at=at, by=SYSTEM)
    await store.insert_variances(session, [variance for variance, _ in found])
    facts = Counter([variance.rebate_id for variance in resolved] + [variance.rebate_id for variance, _ in found])
    last = await raise_versions(session, facts)
    history: list[Change] = []
    for variance in resolved:
        version = last[variance.rebate_id] - facts[variance.rebate_id] + 1
        history += _resolved(variance, resolutions[variance.rebate_id], version=version)
    for variance, change in found:
        history += _found(variance, change, version=last[variance.rebate_id])
    await record_many(session, history, by=SYSTEM, at=at)


def _difference(record: RebateRecord | None) -> tuple[int, str | None, int]:
    """What a variance would say of a record: deducted less earned, why, and what was earned."""
    if record is None or not record.assessment.variance_pence:
        return 0, None, 0
    figures = record.assessment
    return figures.variance_pence, figures.variance_cause, figures.rebate_pence


def _variance(record: RebateRecord, at: datetime) -> RebateVariance:
    facts, figures = record.facts, record.assessment
    if facts.payment_id is None:
        raise ValueError("only a payment can have a variance")
    return RebateVariance(
        id=new_id(),
        version=1,
        rebate_id=record.id,
        invoice_id=facts.invoice_id,
        payment_id=facts.payment_id,
        supplier_id=facts.supplier_id,
        invoice_number=facts.invoice_number,
        earned_pence=figures.rebate_pence,
        deducted_pence=facts.deducted_pence,
        difference_pence=figures.variance_pence,
        cause=VarianceCause(figures.variance_cause or ""),
        owner=OWNER,
        status=VarianceStatus.OPEN,
        found_at=at,
    )


def _found(variance: RebateVariance, change: RebateChange, *, version: int) -> list[Change]:
    """The facts that a variance was found: about the rebate, which it is published with, and about itself."""
    by = Actor(subject=change.by, name=change.by)
    event, fields = _found_event(variance, change.after)
    of_rebate = Change(
        entity="rebate",
        entity_id=variance.rebate_id,
        version=version,
        action="variance found",
        event=event,
        reason=variance.cause,
        detail={"variance_id": str(variance.id), "difference_pence": variance.difference_pence},
        by=by,
        fields=fields,
    )
    return [of_rebate, _own(variance, "found", variance.cause)._replace(by=by)]


def _resolved(variance: RebateVariance, resolution: Resolution, *, version: int) -> list[Change]:
    """The facts that a variance was resolved by the platform."""
    of_rebate = Change(
        entity="rebate",
        entity_id=variance.rebate_id,
        version=version,
        action="variance resolved",
        event=RebateVarianceResolvedV1,
        reason=resolution,
        detail={"variance_id": str(variance.id)},
        fields={
            **_values(variance, "invoice_id", "supplier_id", "payment_id", "difference_pence", "cause"),
            "variance_id": variance.id,
            "resolution": resolution,
        },
    )
    return [of_rebate, _own(variance, "resolved", resolution)]


def _own(variance: RebateVariance, action: str, reason: str) -> Change:
    """A line of a variance's own history."""
    return Change(
        entity="rebate_variance", entity_id=variance.id, version=variance.version, action=action, reason=reason
    )


def _found_event(variance: RebateVariance, record: RebateRecord) -> tuple[type[Event], dict[str, Any]]:
    about = _values(variance, "invoice_id", "supplier_id", "payment_id", "deducted_pence", "cause")
    if record.agreement_id is None or record.agreement_version is None:
        return UnagreedDeductionFoundV1, about
    agreed = {"agreement_id": record.agreement_id, "agreement_version": record.agreement_version}
    return RebateVarianceFoundV1, about | agreed | _values(variance, "earned_pence", "difference_pence")


def _values(variance: RebateVariance, *names: str) -> dict[str, Any]:
    return {name: getattr(variance, name) for name in names}


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
    rebate = await lock_row(session, Rebate, (await get_row(session, RebateVariance, variance_id)).rebate_id)
    variance = await lock_row(session, RebateVariance, variance_id)
    variance.status = move(NEXT, variance.status, VarianceStatus.RESOLVED, thing="The variance")
    variance.resolution, variance.note = resolution, note
    variance.resolved_at, variance.resolved_by, variance.resolved_by_name = at, by.subject, by.name
    detail = {"note": note} if note else {}
    resolved = fact(
        rebate,
        "variance resolved",
        RebateVarianceResolvedV1,
        reason=resolution.value,
        detail=detail | {"variance_id": str(variance.id)},
        variance_id=variance.id,
        payment_id=variance.payment_id,
        difference_pence=variance.difference_pence,
        cause=variance.cause,
        resolution=resolution,
    )
    await record(session, resolved, fact(variance, "resolved", reason=resolution.value, detail=detail), by=by, at=at)
    return variance
