"""What is done with agreements: agree, agree anew, end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from uuid import UUID

from council_common.contracts.rebates import AgreementActivatedV1, AgreementEndedV1
from council_common.database.rows import lock_row
from council_common.identity.actor import Actor
from council_common.recording import Fact, fact, record
from council_common.service.jobs import wake_job
from council_common.web.preconditions import must_match
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements import rules, store
from rebate_service.agreements.rules import ONE_DAY, Terms
from rebate_service.agreements.tables import Agreement, AgreementVersion

APPLY_AGREEMENTS = "apply-agreements"
"""The job that applies a changed agreement to the invoices that arrived before the change."""


async def make_agreement(
    session: AsyncSession, supplier_id: UUID, terms: Terms, *, effective_from: date, by: Actor, at: datetime
) -> Agreement:
    """A supplier's first agreement; raises AgreementExists when it has one, which takes versions."""
    agreement, is_new = await store.insert_or_lock_agreement(session, supplier_id)
    if not is_new:
        raise rules.AgreementExists(
            "This supplier has an agreement: add a version to it.", agreement_id=str(agreement.id)
        )
    await _add_version(session, agreement, [], terms, effective_from=effective_from, by=by, at=at)
    return agreement


async def add_version(
    session: AsyncSession,
    agreement_id: UUID,
    terms: Terms,
    *,
    effective_from: date,
    if_match: str | None,
    by: Actor,
    at: datetime,
) -> Agreement:
    """New terms from a day on; versions that cover that day or later end the day before."""
    agreement = await lock_row(session, Agreement, agreement_id)
    must_match(if_match, agreement.version)
    versions = (await store.versions_of(session, [agreement.id]))[agreement.id]
    await _add_version(session, agreement, versions, terms, effective_from=effective_from, by=by, at=at)
    return agreement


async def agree_terms(
    session: AsyncSession, supplier_id: UUID, terms: Terms, *, effective_from: date, by: Actor, at: datetime
) -> Agreement:
    """What a supplier agreed to with supplier-service: version 1 or the next; the same terms again change nothing."""
    agreement, _ = await store.insert_or_lock_agreement(session, supplier_id)
    versions = (await store.versions_of(session, [agreement.id])).get(agreement.id, [])
    last = versions[-1] if versions else None
    if last and last.effective_to is None and last.effective_from == effective_from and last.terms == terms:
        return agreement
    await _add_version(session, agreement, versions, terms, effective_from=effective_from, by=by, at=at)
    return agreement


async def _add_version(
    session: AsyncSession,
    agreement: Agreement,
    versions: Sequence[AgreementVersion],
    terms: Terms,
    *,
    effective_from: date,
    by: Actor,
    at: datetime,
) -> None:
    rules.check_terms(terms)
    for version in versions:
        if version.effective_to is None or version.effective_to >= effective_from:
            version.effective_to = rules.last_day_under(effective_from, version)
    # The old version ends before the new one begins: the exclusion constraint is checked after each statement.
    await session.flush()
    number = len(versions) + 1
    session.add(
        AgreementVersion(
            agreement_id=agreement.id,
            number=number,
            supplier_id=agreement.supplier_id,
            effective_from=effective_from,
            **asdict(terms),
        )
    )
    agreed = fact(
        agreement,
        "version agreed",
        AgreementActivatedV1,
        detail={
            "agreement_version": number,
            "effective_from": effective_from.isoformat(),
            **({"warnings": warnings} if (warnings := rules.warnings_of(terms)) else {}),
        },
        agreement_version=number,
        effective_from=effective_from,
        reference_rate_percent=terms.reference_rate_percent,
        target_day=terms.target_day,
        term_days=terms.term_days,
    )
    await _record(session, agreed, effective_from, by=by, at=at)


async def end_agreement(
    session: AsyncSession,
    agreement_id: UUID,
    *,
    effective_to: date,
    note: str | None,
    if_match: str | None,
    by: Actor,
    at: datetime,
) -> Agreement:
    """End an agreement: invoices received after the day earn nothing. Raises AgreementEnded if it ends by then."""
    agreement = await lock_row(session, Agreement, agreement_id)
    must_match(if_match, agreement.version)
    if not await _end(session, agreement, effective_to, note=note, by=by, at=at):
        raise rules.AgreementEnded(f"This agreement ends on or before {effective_to}: agree a new version instead.")
    return agreement


async def decline_agreement(
    session: AsyncSession, supplier_id: UUID, *, declined_on: date, reason: str | None, by: Actor, at: datetime
) -> None:
    """A supplier declined or left the programme: its agreement ends on that day, if it runs longer."""
    agreement = await store.lock_agreement_of_supplier(session, supplier_id)
    if agreement is not None:
        await _end(session, agreement, declined_on, reason=reason, by=by, at=at)


async def _end(
    session: AsyncSession,
    agreement: Agreement,
    effective_to: date,
    *,
    reason: str | None = None,
    note: str | None = None,
    by: Actor,
    at: datetime,
) -> bool:
    """End every version on a day at the latest; False when none went beyond it."""
    versions = (await store.versions_of(session, [agreement.id]))[agreement.id]
    ending = [
        version
        for version in versions
        if not rules.never_in_force(version) and (version.effective_to is None or version.effective_to > effective_to)
    ]
    if not ending:
        return False
    for version in ending:
        version.effective_to = rules.last_day_under(effective_to + ONE_DAY, version)
    ended = fact(
        agreement,
        "ended",
        AgreementEndedV1,
        reason=reason,
        detail={"effective_to": effective_to.isoformat()} | ({"note": note} if note else {}),
        agreement_version=ending[-1].number,
        effective_to=effective_to,
    )
    await _record(session, ended, effective_to + ONE_DAY, by=by, at=at)
    return True


async def _record(session: AsyncSession, change: Fact, apply_from: date, *, by: Actor, at: datetime) -> None:
    """A change of an agreement, and the day from which invoices are to be assessed again."""
    await session.flush()
    agreement: Agreement = change.row
    agreement.apply_from = min(apply_from, agreement.apply_from or apply_from)
    await record(session, change, by=by, at=at)
    await wake_job(session, APPLY_AGREEMENTS)
