"""What runs by the calendar or when woken."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from rebate_service.agreements.store import await_deciders, mark_applied, unapplied
from rebate_service.agreements.tables import Agreement
from rebate_service.agreements.usecases import APPLY_AGREEMENTS
from rebate_service.rebate_variances.usecases import compare_deductions
from rebate_service.rebates.usecases import assess_again


async def apply_agreements(runtime: Runtime) -> bool:
    """Let changed agreements meet the invoices and payments that were told before them; True when more wait."""
    async with runtime.sessions.begin() as session:
        changed = await unapplied(session)
    if not changed:
        return False
    # Whoever decided on an invoice without seeing these changes commits first; whoever comes later sees them.
    async with runtime.sessions.begin() as session:
        await await_deciders(session)
    for agreement in changed:
        await _apply(runtime, agreement)
    return True


async def _apply(runtime: Runtime, agreement: Agreement) -> None:
    """One agreement, 2,000 rebates a transaction; begun again after a crash it changes nothing twice."""
    if agreement.apply_from is None:  # for the type checker: `unapplied` has a day
        return
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with runtime.sessions.begin() as session:
            now = runtime.clock()
            told, after = await assess_again(
                session, agreement.supplier_id, received_from=agreement.apply_from, after=after, at=now
            )
            await compare_deductions(session, told, at=now)
    # By itself: a consumer's batch may hold this agreement and wait for its rebates, so nobody may hold the rebates
    # and wait for the agreement.
    async with runtime.sessions.begin() as session:
        await mark_applied(session, agreement)


JOBS: tuple[Job, ...] = (Job(APPLY_AGREEMENTS, apply_agreements, every=timedelta(seconds=30)),)
