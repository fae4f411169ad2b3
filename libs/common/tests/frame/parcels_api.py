"""Parcels over HTTP: lists, and acts in two statements, for tests of what may come between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import lock_row
from council_common.errors import Conflict, IllegalMove
from council_common.recording import fact, record
from council_common.runtime.settings import ServiceSettings
from council_common.service.api import build_api, resource_router
from council_common.service.command import Service
from council_common.web.acts import Act, acting_at_once
from council_common.web.preconditions import IfMatch, must_match
from council_common.web.resource_routes import reading_routes
from fastapi import FastAPI
from frame_parcels import Parcel, ParcelList, ParcelSentV1, ParcelStatus
from pydantic import BaseModel

router = resource_router("parcels")


class Between:
    """What a test has happen between the two statements of an act, the first time."""

    once: Callable[[], Awaitable[None]] | None = None

    async def statements(self) -> None:
        once, self.once = self.once, None
        if once is not None:
            await once()


between = Between()


class NameTaken(Conflict):
    code = "name-taken"


class ParcelOut(BaseModel):
    id: UUID
    version: int
    name: str
    weight_pence: int
    status: ParcelStatus

    @classmethod
    def of(cls, parcel: Any) -> ParcelOut:
        return cls.model_validate(parcel, from_attributes=True)


reading_routes(router, ParcelList, ParcelOut, of=Parcel, scope="invoices:read")


class ChangeIn(BaseModel):
    name: str
    weight_pence: int = 1


def _answer(act: Act, parcel: Parcel) -> ParcelOut:
    act.answers(f"{router.prefix}/{parcel.id}", parcel.version)
    return ParcelOut.of(parcel)


@router.post("/{parcel_id}/sendings", status_code=201)
async def send(parcel_id: UUID, act: Annotated[Act, acting_at_once("invoices:write")]) -> ParcelOut:
    parcel = await lock_row(act.session, Parcel, parcel_id)
    if parcel.status is not ParcelStatus.PACKED:
        raise IllegalMove("The parcel", parcel.status, ParcelStatus.SENT)
    await between.statements()
    parcel.status = ParcelStatus.SENT
    await record(act.session, fact(parcel, "sent", ParcelSentV1, carrier="van"), by=act.by, at=act.at)
    return _answer(act, parcel)


@router.post("/{parcel_id}/changes", status_code=201)
async def change(
    parcel_id: UUID, change: ChangeIn, act: Annotated[Act, acting_at_once("invoices:write")], if_match: IfMatch = None
) -> ParcelOut:
    parcel = await lock_row(act.session, Parcel, parcel_id)
    must_match(if_match, parcel.version)
    await between.statements()
    parcel.name, parcel.weight_pence = change.name, change.weight_pence
    await record(act.session, fact(parcel, "changed", detail={"name": change.name}), by=act.by, at=act.at)
    if change.name == "taken":
        raise NameTaken("Another parcel has this name.")
    return _answer(act, parcel)


@router.post("/{parcel_id}/looks", status_code=201)
async def look(parcel_id: UUID, look: ChangeIn, act: Annotated[Act, acting_at_once("invoices:write")]) -> ParcelOut:
    """An act that finds nothing to do."""
    del look
    return _answer(act, await lock_row(act.session, Parcel, parcel_id))


@router.post("/{parcel_id}/mistakes", status_code=201)
async def mistake(parcel_id: UUID, act: Annotated[Act, acting_at_once("invoices:write")]) -> ParcelOut:
    """An act that records, and assigns something more afterwards."""
    parcel = await lock_row(act.session, Parcel, parcel_id)
    await record(act.session, fact(parcel, "weighed"), by=act.by, at=act.at)
    parcel.name = "forgotten"
    return _answer(act, parcel)


def _create_api(settings: ServiceSettings) -> FastAPI:
    return build_api("parcels-service", settings, routers=[router], description="Parcels")


SERVICE = Service("parcels-service", Path(__file__).parent, ServiceSettings, _create_api)  # type: ignore[arg-type, unused-ignore]
