"""Parcels: a table, its list and an event, for the tests of what every room goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from council_common.database.columns import EnumText, Listed
from council_common.database.sessions import Sessions
from council_common.database.tables import outbox, service_registry
from council_common.events.contract import Event
from council_common.events.envelope import unseal
from council_common.fields import Day, PenceFilter
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.web.lists import ResourceList, Where
from sqlalchemy import BigInteger, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

NOW = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
CLERK = Actor(subject="clerk-1", name="A. Clerk")


class ParcelStatus(StrEnum):
    PACKED = "packed"
    SENT = "sent"


class ParcelSentV1(Event, topic="parcels.v1", producer="parcels-service", key="parcel_id"):
    parcel_id: UUID
    weight_pence: int
    carrier: str


class ParcelLostV1(Event, topic="parcels.v1", producer="parcels-service", key="parcel_id"):
    parcel_id: UUID
    reason: str


class Row(SQLModel, registry=service_registry()):
    pass


class Parcel(Listed, Row, table=True):
    __tablename__ = "parcel"

    id: UUID = Field(primary_key=True)
    version: int
    name: str = Field(sa_type=Text)
    weight_pence: int = Field(sa_type=BigInteger)
    packed_on: date
    status: ParcelStatus = Field(sa_type=EnumText(ParcelStatus))
    labels: list[str] = Field(default_factory=list, sa_type=JSONB)


PARCEL = (
    """
    CREATE TABLE parcel (
        id uuid PRIMARY KEY, version integer NOT NULL, name text NOT NULL, weight_pence bigint NOT NULL,
        packed_on date NOT NULL, status text NOT NULL, labels jsonb NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ck_parcel_status CHECK (status IN ('packed', 'sent')),
        CONSTRAINT ck_parcel_weight CHECK (weight_pence >= 0)
    )
    """,
    "CREATE INDEX ix_parcel_packed_on_id ON parcel (packed_on, id)",
)


class ParcelList(
    ResourceList,
    of=Parcel,
    sorts=("packed_on",),
    default="-packed_on",
    csv=("id", "name", "weight_pence", "packed_on", "status"),
):
    """Parcels."""

    status: ParcelStatus | None = None
    packed_from: Day | None = None
    packed_to: Day | None = None
    weight_pence_from: PenceFilter | None = None
    heavy: Annotated[bool | None, Where(lambda heavy: (Parcel.__table__.c.weight_pence > 50) == heavy)] = None  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Parcels:
    """The database of a test."""

    sessions: Sessions

    async def pack(self, count: int = 1, *, day: date = date(2026, 3, 1)) -> list[UUID]:
        """So many parcels, of weights 0, 1, 2 … and a week of days."""
        made = [
            {
                "id": new_id(),
                "version": 1,
                "name": f"parcel {number}",
                "weight_pence": number,
                "packed_on": day.replace(day=1 + number % 7),
                "status": ParcelStatus.PACKED,
            }
            for number in range(count)
        ]
        async with self.sessions.begin() as session:
            await session.execute(Parcel.__table__.insert(), made)  # type: ignore[attr-defined]
        return [row["id"] for row in made]  # type: ignore[misc]

    async def published(self) -> list[Any]:
        """What the outbox holds, oldest first."""
        kinds = {kind.type: kind for kind in (ParcelSentV1, ParcelLostV1)}
        async with self.sessions() as session:
            rows = (await session.execute(select(outbox).order_by(outbox.c.position))).all()
        return [unseal(row.payload, kinds[row.type]).data for row in rows]
