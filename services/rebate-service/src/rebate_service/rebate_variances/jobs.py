"""Changed agreements are applied to what arrived before them, and deductions compared again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from council_common.runtime.service_runtime import Runtime
from council_common.service.jobs import Job

from rebate_service.agreements.store import lock_agreements, mark_applied, unapplied_agreements
from rebate_service.agreements.tables import Agreement
from rebate_service.agreements.usecases import APPLY_AGREEMENTS
from rebate_service.rebate_variances.usecases import compare_deductions
from rebate_service.rebates.usecases import assess_again


async def apply_agreements(runtime: Runtime) -> bool:
    """Assess invoices and payments that arrived before a change of their agreement; True when more wait."""
    async with runtime.sessions.begin() as session:
        changed = await unapplied_agreements(session)
    if not changed:
        return False
    # Transactions that decide on an invoice without seeing these changes commit first; later ones see them.
    async with runtime.sessions.begin() as session:
        await lock_agreements(session)
    for agreement in changed:
        await _apply(runtime, agreement)
    return True


async def _apply(runtime: Runtime, agreement: Agreement) -> None:
    """One agreement, 2,000 rebates a transaction; begun again after a crash it changes nothing twice."""
    if agreement.apply_from is None:  # for the type checker: `unapplied_agreements` have a day
        return
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with runtime.sessions.begin() as session:
            now = runtime.clock()
            changes, after = await assess_again(
                session, agreement.supplier_id, received_from=agreement.apply_from, after=after, at=now
            )
            await compare_deductions(session, changes, at=now)
    # In a transaction of its own: a consumer's batch may hold this agreement and wait for its rebates, so no
    # transaction may hold the rebates and wait for the agreement.
    async with runtime.sessions.begin() as session:
        await mark_applied(session, agreement)


JOBS: tuple[Job, ...] = (Job(APPLY_AGREEMENTS, apply_agreements, every=timedelta(seconds=30)),)
