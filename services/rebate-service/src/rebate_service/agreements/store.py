"""Every query of the agreements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from operator import itemgetter
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.errors import NotFound
from council_common.ids import lock_key, new_id
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rebate_service.agreements.rules import AgreementsInForce, Terms, VersionInForce
from rebate_service.agreements.tables import Agreement, AgreementVersion

LOCK = lock_key("rebate-service-agreements")
"""Shared by transactions that decide on invoices by the agreements, exclusive for the one that applies a change."""

_TERMS = tuple(field.name for field in fields(Terms))
_IN_FORCE = f"""
SELECT supplier_id, agreement_id, number, effective_from, effective_to, {", ".join(_TERMS)}
FROM agreement_version WHERE supplier_id = ANY($1) ORDER BY agreement_id, number
"""
_LOCK_FOR_SHARE = "SELECT pg_advisory_xact_lock_shared($1)"
_terms_in = itemgetter(*_TERMS)


async def agreements_of(session: AsyncSession, supplier_ids: Iterable[UUID]) -> AgreementsInForce:
    """The agreements of these suppliers, in one statement."""
    versions: dict[UUID, list[VersionInForce]] = {}
    connection = await driver(session)
    for row in await connection.fetch(_IN_FORCE, list(set(supplier_ids))):
        version = VersionInForce(
            agreement_id=row["agreement_id"],
            number=row["number"],
            effective_from=row["effective_from"],
            effective_to=row["effective_to"],
            terms=_terms(_terms_in(row)),
        )
        versions.setdefault(row["supplier_id"], []).append(version)
    return AgreementsInForce(versions)


@lru_cache(maxsize=1024)
def _terms(values: tuple[Any, ...]) -> Terms:
    """Made once, of values in the order of `_TERMS`: most agreements of a council have the same few terms."""
    return Terms.named_in(SimpleNamespace(**dict(zip(_TERMS, values, strict=True))))


async def terms_of(session: AsyncSession, agreement_id: UUID, number: int) -> Terms:
    """The terms of one version; raises NotFound."""
    version = await session.get(AgreementVersion, (agreement_id, number))
    if version is None:
        raise NotFound.of("agreement version")
    return version.terms


async def lock_agreements_for_share(session: AsyncSession) -> None:
    """Until the commit no change of an agreement counts as applied: the job waits for the invoices decided here."""
    await (await driver(session)).execute(_LOCK_FOR_SHARE, LOCK)


async def lock_agreements(session: AsyncSession) -> None:
    """Wait until every transaction that decides on invoices now has committed; later ones see every new version."""
    await session.execute(select(func.pg_advisory_xact_lock(LOCK)))


async def insert_or_lock_agreement(session: AsyncSession, supplier_id: UUID) -> tuple[Agreement, bool]:
    """The supplier's agreement, locked, and whether it was made now (version 0, no terms yet)."""
    made = await session.execute(
        insert(Agreement)
        .values(id=new_id(), supplier_id=supplier_id, version=0)
        .on_conflict_do_nothing()
        .returning(col(Agreement.id))
    )
    is_new = made.scalar() is not None
    agreement = await session.execute(
        select(Agreement).where(col(Agreement.supplier_id) == supplier_id).with_for_update()
    )
    return agreement.scalar_one(), is_new


async def lock_agreement_of_supplier(session: AsyncSession, supplier_id: UUID) -> Agreement | None:
    """The supplier's agreement, locked, if it has one."""
    agreement = await session.execute(
        select(Agreement).where(col(Agreement.supplier_id) == supplier_id).with_for_update()
    )
    return agreement.scalar_one_or_none()


async def versions_of(session: AsyncSession, agreement_ids: Iterable[UUID]) -> dict[UUID, list[AgreementVersion]]:
    """The versions of agreements, each list in order of their numbers."""
    rows = await session.execute(
        select(AgreementVersion)
        .where(col(AgreementVersion.agreement_id).in_(list(agreement_ids)))
        .order_by(col(AgreementVersion.agreement_id), col(AgreementVersion.number))
    )
    versions: dict[UUID, list[AgreementVersion]] = {}
    for version in rows.scalars():
        versions.setdefault(version.agreement_id, []).append(version)
    return versions


async def unapplied_agreements(session: AsyncSession, *, limit: int = 100) -> list[Agreement]:
    """Agreements with a change that is still to be applied to invoices that arrived before it."""
    agreements = await session.execute(
        select(Agreement).where(col(Agreement.apply_from).is_not(None)).order_by(col(Agreement.id)).limit(limit)
    )
    return list(agreements.scalars())


async def mark_applied(session: AsyncSession, agreement: Agreement) -> None:
    """Record that a change was applied to every invoice, unless another change came meanwhile."""
    await session.execute(
        update(Agreement)
        .where(col(Agreement.id) == agreement.id, col(Agreement.version) == agreement.version)
        .values(apply_from=None)
        .execution_options(synchronize_session=False)
    )
