"""Holds over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.holds import ReleaseIn
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.resource_routes import reading_routes

from debt_service.arrangements.holds.lists import HoldList
from debt_service.arrangements.holds.schemas import HealthNotesOut, HoldIn, HoldOut
from debt_service.arrangements.holds.tables import Hold
from debt_service.arrangements.holds.usecases import place_hold, read_health_notes, release_hold

router = resource_router("holds")


@router.post("", status_code=201)
async def place(hold: HoldIn, act: Annotated[Act, acting("debts:write")]) -> HoldOut:
    """Stop notices, with a reason, a note, an owner, a review day and a last day."""
    placed = await place_hold(act.session, hold.as_new(), by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{placed.id}", placed.version)
    return HoldOut.of(placed)


reading_routes(router, HoldList, HoldOut, of=Hold, scope="debts:read")


@router.get("/{hold_id}/health-notes")
async def health_notes(
    hold_id: UUID, session: SessionDep, now: Now, by: Annotated[Actor, requires("health-notes:read")]
) -> HealthNotesOut:
    """The words of a hold and of its release, which may be about health; each reading is in the hold's history."""
    hold = await read_health_notes(session, hold_id, by=by, at=now)
    return HealthNotesOut(note=hold.note, release_note=hold.release_note)


@router.post("/{hold_id}/releases", status_code=201)
async def release(hold_id: UUID, release: ReleaseIn, act: Annotated[Act, acting("debts:write")]) -> HoldOut:
    """End a hold before its last day."""
    released = await release_hold(act.session, hold_id, reason=release.reason, note=release.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{released.id}", released.version)
    return HoldOut.of(released)
