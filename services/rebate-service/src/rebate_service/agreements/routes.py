"""/v1/agreements"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.clock import london_date
from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, Today, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import IfMatch, etag
from fastapi import Depends, Response
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements import rules, store, usecases
from rebate_service.agreements.rules import AgreementStatus
from rebate_service.agreements.schemas import AgreementIn, AgreementOut, EndingIn, VersionIn
from rebate_service.agreements.tables import Agreement, AgreementVersion

router = resource_router("agreements")

Reader = Annotated[Actor, requires("rebates:read")]
Writer = Annotated[Actor, requires("rebates:write")]


@router.post("", status_code=201, dependencies=[Idempotent])
async def make(agreement: AgreementIn, session: SessionDep, response: Response, now: Now, by: Writer) -> AgreementOut:
    """Agree early payment with a supplier; 409 when it has an agreement: add a version to that."""
    made = await usecases.make_agreement(
        session, agreement.supplier_id, agreement.terms(), effective_from=agreement.effective_from, by=by, at=now
    )
    response.headers["location"] = f"/v1/agreements/{made.id}"
    versions = await _changed(session, made, response)
    return AgreementOut.of(made, versions[-1], london_date(now))


@router.get("")
async def list_agreements(
    session: SessionDep,
    today: Today,
    page: Annotated[PageQuery, Depends()],
    _: Reader,
    supplier_id: UUID | None = None,
    status: AgreementStatus | None = None,
) -> Page[AgreementOut]:
    """Agreements, newest first, each by the version that is in force today, or comes next, or was the last."""
    agreements, cursor = await store.page_of_agreements(
        session, page, supplier_id=supplier_id, status=status, today=today
    )
    versions = await store.versions_of(session, [agreement.id for agreement in agreements])
    shown = ((agreement, rules.shown_version(versions[agreement.id], today)) for agreement in agreements)
    items = [AgreementOut.of(agreement, version, today) for agreement, version in shown]
    return Page(items=items, next=cursor)


@router.get("/{agreement_id}")
async def get(agreement_id: UUID, session: SessionDep, response: Response, today: Today, _: Reader) -> AgreementOut:
    """One agreement, by the version that is in force today, or comes next, or was the last."""
    agreement = await store.get_agreement(session, agreement_id)
    versions = (await store.versions_of(session, [agreement.id]))[agreement.id]
    response.headers["etag"] = etag(agreement.revision)
    return AgreementOut.of(agreement, rules.shown_version(versions, today), today)


@router.get("/{agreement_id}/versions")
async def list_versions(agreement_id: UUID, session: SessionDep, today: Today, _: Reader) -> Page[AgreementOut]:
    """All versions of an agreement, oldest first; one that was withdrawn ends before it begins."""
    agreement = await store.get_agreement(session, agreement_id)
    versions = (await store.versions_of(session, [agreement.id]))[agreement.id]
    return Page(items=[AgreementOut.of(agreement, version, today) for version in versions])


@router.post("/{agreement_id}/versions", status_code=201, dependencies=[Idempotent])
async def add_version(
    *,
    agreement_id: UUID,
    version: VersionIn,
    session: SessionDep,
    response: Response,
    now: Now,
    by: Writer,
    if_match: IfMatch = None,
) -> AgreementOut:
    """Agree new terms from a day on; versions that cover that day or later end the day before."""
    agreement = await usecases.add_version(
        session, agreement_id, version.terms(), effective_from=version.effective_from, if_match=if_match, by=by, at=now
    )
    versions = await _changed(session, agreement, response)
    return AgreementOut.of(agreement, versions[-1], london_date(now))


@router.post("/{agreement_id}/endings", status_code=201, dependencies=[Idempotent])
async def end(
    *,
    agreement_id: UUID,
    ending: EndingIn,
    session: SessionDep,
    response: Response,
    now: Now,
    by: Writer,
    if_match: IfMatch = None,
) -> AgreementOut:
    """End an agreement with a day: invoices received later earn nothing. Answers with the version that ends then."""
    agreement = await usecases.end_agreement(
        session, agreement_id, effective_to=ending.effective_to, if_match=if_match, reason=ending.reason, by=by, at=now
    )
    today = london_date(now)
    versions = await _changed(session, agreement, response)
    last = rules.version_for(versions, ending.effective_to) or rules.shown_version(versions, today)
    return AgreementOut.of(agreement, last, today)


@router.get("/{agreement_id}/history")
async def history(agreement_id: UUID, session: SessionDep, _: Reader) -> list[ChangeOut]:
    """Every change of an agreement: who, when, what and why."""
    agreement = await store.get_agreement(session, agreement_id)
    return await history_of(session, agreement.id)


async def _changed(session: AsyncSession, agreement: Agreement, response: Response) -> list[AgreementVersion]:
    """The versions of a changed agreement; the response gets its new ETag."""
    response.headers["etag"] = etag(agreement.revision)
    return (await store.versions_of(session, [agreement.id]))[agreement.id]
