"""What is assigned to a locked row is recorded, or nothing at all is committed."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from council_common.database.rows import ChangeNotRecorded, get_row, lock_row
from council_common.database.tables import change
from council_common.errors import NotFound
from council_common.ids import new_id
from council_common.recording import fact, record
from frame_parcels import CLERK, NOW, Parcel, Parcels, ParcelStatus
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

_C: Any = Parcel.__table__.c  # type: ignore[attr-defined]


async def _stored(parcels: Parcels, parcel_id: UUID) -> tuple[str, ParcelStatus, int, int]:
    """Name, status, version and how many lines of history."""
    async with parcels.sessions() as session:
        parcel = await get_row(session, Parcel, parcel_id)
        lines = select(func.count()).where(change.c.entity_id == parcel_id)
        return parcel.name, parcel.status, parcel.version, await session.scalar(lines) or 0


async def _other(session: AsyncSession, parcel_id: UUID) -> None:
    """Something else in the same transaction, which must not be committed either."""
    await session.execute(update(Parcel).where(_C.id == parcel_id).values(weight_pence=77))


async def test_what_was_assigned_and_not_recorded_refuses_the_commit(parcels: Parcels) -> None:
    one, two = await parcels.pack(2)
    with pytest.raises(ChangeNotRecorded, match=rf"parcel {one}: name, status"):
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, one)
            parcel.status, parcel.name = ParcelStatus.SENT, "renamed"
            await _other(session, two)
    assert await _stored(parcels, one) == ("parcel 0", ParcelStatus.PACKED, 1, 0)
    async with parcels.sessions() as session:
        assert (await get_row(session, Parcel, two)).weight_pence == 1


async def test_what_was_assigned_after_it_was_recorded_refuses_the_commit(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    with pytest.raises(ChangeNotRecorded, match=r": name$"):
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, parcel_id)
            parcel.status = ParcelStatus.SENT
            await record(session, fact(parcel, "sent"), by=CLERK, at=NOW)
            parcel.name = "too late"
    assert await _stored(parcels, parcel_id) == ("parcel 0", ParcelStatus.PACKED, 1, 0)


async def test_one_of_two_locked_rows_that_was_forgotten_refuses_both(parcels: Parcels) -> None:
    one, two = await parcels.pack(2)
    with pytest.raises(ChangeNotRecorded, match=str(two)):
        async with parcels.sessions.begin() as session:
            kept, forgotten = await lock_row(session, Parcel, one), await lock_row(session, Parcel, two)
            kept.name = forgotten.name = "renamed"
            await record(session, fact(kept, "renamed"), by=CLERK, at=NOW)
    assert [(await _stored(parcels, each))[2] for each in (one, two)] == [1, 1]


async def test_what_changed_nothing_is_committed(parcels: Parcels) -> None:
    """Locked and only read; assigned what it was; recorded, alone or beside other facts."""
    one, two, three, four = await parcels.pack(4)
    async with parcels.sessions.begin() as session:
        await lock_row(session, Parcel, one)
        same = await lock_row(session, Parcel, two)
        same.name, same.status = "parcel 1", ParcelStatus.PACKED
        recorded, beside = await lock_row(session, Parcel, three), await lock_row(session, Parcel, four)
        recorded.name = beside.name = "renamed"
        await record(session, fact(recorded, "renamed"), also=[beside], by=CLERK, at=NOW)
    assert (await _stored(parcels, two))[2:] == (1, 0)
    assert (await _stored(parcels, three))[2:] == (2, 1)
    assert await _stored(parcels, four) == ("renamed", ParcelStatus.PACKED, 1, 0)


async def test_what_is_no_fact_is_stored_without_a_version(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        parcel = await lock_row(session, Parcel, parcel_id)
        await record(session, also=[parcel], by=CLERK, at=NOW)  # nothing to store yet
        parcel.name = "on its way"
        await record(session, also=[parcel], by=CLERK, at=NOW)
    assert await _stored(parcels, parcel_id) == ("on its way", ParcelStatus.PACKED, 1, 0)


async def test_a_new_row_is_changed_and_recorded_again_or_refused(parcels: Parcels) -> None:
    def new(name: str) -> Parcel:
        return Parcel(id=new_id(), name=name, weight_pence=1, packed_on=NOW.date(), status=ParcelStatus.PACKED)

    twice, forgotten = new("a"), new("b")
    async with parcels.sessions.begin() as session:
        await record(session, fact(twice, "packed"), by=CLERK, at=NOW)
        twice.name = "renamed"
        await record(session, fact(twice, "renamed"), by=CLERK, at=NOW)
    assert await _stored(parcels, twice.id) == ("renamed", ParcelStatus.PACKED, 2, 2)
    with pytest.raises(ChangeNotRecorded, match=r": name$"):
        async with parcels.sessions.begin() as session:
            await record(session, fact(forgotten, "packed"), by=CLERK, at=NOW)
            forgotten.name = "too late"
    with pytest.raises(NotFound):
        await _stored(parcels, forgotten.id)


async def test_a_savepoint_neither_asks_too_early_nor_forgets(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        parcel = await lock_row(session, Parcel, parcel_id)
        parcel.name = "renamed"
        async with session.begin_nested():
            await _other(session, parcel_id)
        await record(session, fact(parcel, "renamed"), by=CLERK, at=NOW)
    with pytest.raises(ChangeNotRecorded):
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, parcel_id)
            parcel.name = "forgotten"
            savepoint = await session.begin_nested()
            await savepoint.rollback()
    assert (await _stored(parcels, parcel_id))[0] == "renamed"


async def test_a_session_that_rolled_back_begins_anew(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions() as session:
        (await lock_row(session, Parcel, parcel_id)).name = "taken back"
        await session.rollback()
        parcel = await lock_row(session, Parcel, parcel_id)
        parcel.name = "kept"
        await record(session, fact(parcel, "renamed"), by=CLERK, at=NOW)
        await session.commit()
        parcel.name = "said when nothing was locked any more"
        await session.commit()
    assert await _stored(parcels, parcel_id) == ("kept", ParcelStatus.PACKED, 2, 1)


async def test_of_two_that_lock_one_row_each_sees_the_others_change(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()

    async def add(label: str) -> None:
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, parcel_id)
            await asyncio.sleep(0.01)
            parcel.labels = [*parcel.labels, label]
            await record(session, fact(parcel, "labelled"), by=CLERK, at=NOW)

    await asyncio.gather(*(add(str(number)) for number in range(6)))
    async with parcels.sessions() as session:
        parcel = await get_row(session, Parcel, parcel_id)
        versions = await session.scalars(select(change.c.version).order_by(change.c.version))
        assert (sorted(parcel.labels), parcel.version, list(versions)) == (list("012345"), 7, list(range(2, 8)))
