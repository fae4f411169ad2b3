"""Agreements over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import SessionDep, Today, requires
from council_common.web.keyset import Page
from council_common.web.preconditions import IfMatch, etag
from council_common.web.resource_routes import export_route, history_route
from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from rebate_service.agreements import rules, store, usecases
from rebate_service.agreements.lists import AgreementList
from rebate_service.agreements.schemas import AgreementIn, AgreementOut, EndingIn, VersionIn
from rebate_service.agreements.tables import Agreement, AgreementVersion

router = resource_router("agreements")

Reader = Annotated[Actor, requires("rebates:read")]
Writing = Annotated[Act, acting("rebates:write")]


@router.post("", status_code=201)
async def make(agreement: AgreementIn, act: Writing) -> AgreementOut:
    """Agree early payment with a supplier; 409 when it has an agreement: add a version to that."""
    made = await usecases.make_agreement(
        act.session,
        agreement.supplier_id,
        agreement.terms(),
        effective_from=agreement.effective_from,
        by=act.by,
        at=act.at,
    )
    versions = await _answered(act, made)
    return AgreementOut.of(made, versions[-1], act.today)


# A status follows from the dates and today: the list, its CSV and one agreement are shown as of the request's date.
@router.get("")
async def list_agreements(
    session: SessionDep, today: Today, query: Annotated[AgreementList, Query()], _: Reader
) -> Page[AgreementOut]:
    """Agreements, newest first, each by the version that is in force today, or comes next, or was the last."""
    rows, following = await query.page(session, today=today)
    return Page(items=await _shown(session, rows, today), next=following)


export_route(router, AgreementList, scope="rebates:read")


@router.get("/{agreement_id}")
async def read(agreement_id: UUID, session: SessionDep, response: Response, today: Today, _: Reader) -> AgreementOut:
    """One agreement, by the version that is in force today, or comes next, or was the last."""
    agreement = await get_row(session, Agreement, agreement_id)
    response.headers["etag"] = etag(agreement.version)
    [shown] = await _shown(session, [agreement], today)
    return shown


@router.get("/{agreement_id}/versions")
async def list_versions(agreement_id: UUID, session: SessionDep, today: Today, _: Reader) -> Page[AgreementOut]:
    """All versions of an agreement, oldest first; one that was withdrawn ends before it begins."""
    agreement = await get_row(session, Agreement, agreement_id)
    versions = (await store.versions_of(session, [agreement.id]))[agreement.id]
    return Page(items=[AgreementOut.of(agreement, version, today) for version in versions])


@router.post("/{agreement_id}/versions", status_code=201)
async def add_version(agreement_id: UUID, version: VersionIn, act: Writing, if_match: IfMatch = None) -> AgreementOut:
    """Agree new terms from a day on; versions that cover that day or later end the day before."""
    agreement = await usecases.add_version(
        act.session,
        agreement_id,
        version.terms(),
        effective_from=version.effective_from,
        if_match=if_match,
        by=act.by,
        at=act.at,
    )
    versions = await _answered(act, agreement)
    return AgreementOut.of(agreement, versions[-1], act.today)


@router.post("/{agreement_id}/endings", status_code=201)
async def end(agreement_id: UUID, ending: EndingIn, act: Writing, if_match: IfMatch = None) -> AgreementOut:
    """End an agreement with a day: invoices received later earn nothing. Answers with the version that ends then."""
    agreement = await usecases.end_agreement(
        act.session,
        agreement_id,
        effective_to=ending.effective_to,
        note=ending.note,
        if_match=if_match,
        by=act.by,
        at=act.at,
    )
    versions = await _answered(act, agreement)
    last = rules.version_for(versions, ending.effective_to) or rules.shown_version(versions, act.today)
    return AgreementOut.of(agreement, last, act.today)


history_route(router, of=Agreement, scope="rebates:read")


async def _shown(session: AsyncSession, agreements: Sequence[Any], today: date) -> list[AgreementOut]:
    versions = await store.versions_of(session, [agreement.id for agreement in agreements])
    return [
        AgreementOut.of(agreement, rules.shown_version(versions[agreement.id], today), today)
        for agreement in agreements
    ]


async def _answered(act: Act, agreement: Agreement) -> list[AgreementVersion]:
    """The versions of a changed agreement; the response says where it is and which version it has."""
    act.answers(f"{router.prefix}/{agreement.id}", agreement.version)
    return (await store.versions_of(act.session, [agreement.id]))[agreement.id]
