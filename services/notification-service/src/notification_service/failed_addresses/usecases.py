"""Keep which addresses failed, and let an officer say that one works again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from council_common.contracts.notifications import AddressConfirmedV1
from council_common.database.rows import get_row
from council_common.errors import move
from council_common.identity.actor import SYSTEM, Actor
from council_common.recording import Change, fact, record, record_many
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.failed_addresses import store
from notification_service.failed_addresses.rules import NEXT, FailedAddressStatus, Failure
from notification_service.failed_addresses.tables import FailedAddress


async def note_failures(session: AsyncSession, failures: Sequence[Failure], *, at: datetime) -> None:
    """Keep the addresses of messages that ended because of them."""
    last = {(failure.recipient_id, failure.address): failure for failure in failures}
    if not last:
        return
    kept = await store.keep_failures(session, list(last.values()), at=at)
    changes = (
        Change("failed_address", row["id"], row["version"], FailedAddressStatus.FAILED, reason=row["code"])
        for row in kept
    )
    await record_many(session, changes, by=SYSTEM, at=at)


async def confirm_address(
    session: AsyncSession, failed_address_id: UUID, *, note: str, by: Actor, at: datetime
) -> FailedAddress:
    """The address may be written to again, for everybody it failed for; debt-service learns of it.

    Raises NotFound, and IllegalMove where it does not count as failed.
    """
    named = await get_row(session, FailedAddress, failed_address_id)
    failed = {one.id: one for one in await store.lock_failed(session, named.address)}
    wanted = failed.get(named.id, named)
    move(NEXT, wanted.status, FailedAddressStatus.CONFIRMED, thing="The address")
    for one in failed.values():
        one.status = FailedAddressStatus.CONFIRMED
    facts = [
        fact(one, one.status, AddressConfirmedV1, detail={"note": note}, failure_id=one.id, channel="email")
        for one in failed.values()
    ]
    await record(session, *facts, by=by, at=at)
    return wanted
