from datetime import date
from uuid import UUID

import pytest
from asyncpg import UniqueViolationError
from council_common.database.rows import get_row, lock_row
from council_common.errors import NotFound
from council_common.ids import new_id
from council_common.recording import Change, ChangedMeanwhile, fact, record, record_many
from council_common.web.history import HistoryQuery, history_page
from frame_parcels import CLERK, NOW, Parcel, ParcelLostV1, Parcels, ParcelSentV1, ParcelStatus


async def test_a_change_its_history_and_its_event_are_there_together(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        parcel = await lock_row(session, Parcel, parcel_id)
        parcel.status = ParcelStatus.SENT
        sent = fact(parcel, "sent", ParcelSentV1, reason="ordered", detail={"note": "by van"}, carrier="van")
        await record(session, sent, by=CLERK, at=NOW)
    async with parcels.sessions() as session:
        stored = await get_row(session, Parcel, parcel_id)
        [line] = (await history_page(session, parcel_id, HistoryQuery())).items
    assert (stored.status, stored.version) == (ParcelStatus.SENT, 2)
    assert (line.version, line.action, line.reason, line.detail) == (2, "sent", "ordered", {"note": "by van"})
    assert (line.by, line.by_name, line.at) == ("clerk-1", "A. Clerk", NOW)
    [event] = await parcels.published()
    assert event == ParcelSentV1(
        version=2, occurred_at=NOW, by="clerk-1", parcel_id=parcel_id, weight_pence=0, carrier="van"
    )


async def test_json_is_read_and_written_as_values(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    for labels in (["fragile"], ["fragile", "up"]):
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, parcel_id)
            assert parcel.labels == labels[:-1]
            parcel.labels = labels
            await record(session, fact(parcel, "labelled"), by=CLERK, at=NOW)


async def test_two_facts_about_one_thing_have_a_version_each(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        parcel = await lock_row(session, Parcel, parcel_id)
        await record(
            session,
            fact(parcel, "sent", ParcelSentV1, carrier="van"),
            fact(parcel, "lost", ParcelLostV1, reason="fell_off"),
            by=CLERK,
            at=NOW,
        )
        assert parcel.version == 3
    assert [(type(event).__name__, event.version) for event in await parcels.published()] == [
        ("ParcelSentV1", 2),
        ("ParcelLostV1", 3),
    ]


async def test_a_new_row_is_stored_with_its_first_version(parcels: Parcels) -> None:
    parcel = Parcel(id=new_id(), name="new", weight_pence=7, packed_on=date(2026, 3, 1), status=ParcelStatus.PACKED)
    beside = Parcel(
        id=new_id(), version=1, name="beside", weight_pence=1, packed_on=date(2026, 3, 1), status=ParcelStatus.PACKED
    )
    async with parcels.sessions.begin() as session:
        await record(session, fact(parcel, "packed"), also=[beside], by=CLERK, at=NOW)
    async with parcels.sessions() as session:
        assert (await get_row(session, Parcel, parcel.id)).version == 1
        assert (await history_page(session, beside.id, HistoryQuery())).items == []
        assert (await get_row(session, Parcel, beside.id)).name == "beside"
    assert await parcels.published() == []


async def test_what_was_not_locked_and_changed_meanwhile_is_refused_whole(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    with pytest.raises(ChangedMeanwhile):
        async with parcels.sessions.begin() as slow:
            seen = await get_row(slow, Parcel, parcel_id)
            async with parcels.sessions.begin() as quick:
                parcel = await lock_row(quick, Parcel, parcel_id)
                await record(quick, fact(parcel, "sent", ParcelSentV1, carrier="van"), by=CLERK, at=NOW)
            seen.name = "late"
            await record(slow, fact(seen, "renamed"), by=CLERK, at=NOW)
    async with parcels.sessions() as session:
        assert (await get_row(session, Parcel, parcel_id)).name == "parcel 0"
        assert [line.action for line in (await history_page(session, parcel_id, HistoryQuery())).items] == ["sent"]


async def test_a_misspelt_field_of_an_event_is_an_error_and_not_silence(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    with pytest.raises(TypeError, match="no colour"):
        async with parcels.sessions.begin() as session:
            parcel = await lock_row(session, Parcel, parcel_id)
            await record(session, fact(parcel, "sent", ParcelSentV1, carrier="van", colour="red"), by=CLERK, at=NOW)


async def test_many_facts_by_copy(parcels: Parcels) -> None:
    ids = await parcels.pack(3)
    events = [
        ParcelLostV1(version=2, occurred_at=NOW, by="clerk-1", parcel_id=parcel_id, reason="flood") for parcel_id in ids
    ]
    async with parcels.sessions.begin() as session:
        changes = (
            Change("parcel", parcel_id, 2, "lost", ParcelLostV1, "flood", {"weight_pence": 1}) for parcel_id in ids
        )
        await record_many(session, changes, by=CLERK, at=NOW)
        await record_many(session, (), by=CLERK, at=NOW)
    assert await parcels.published() == events
    async with parcels.sessions() as session:
        [line] = (await history_page(session, ids[1], HistoryQuery())).items
    assert (line.action, line.reason, line.detail) == ("lost", "flood", {"weight_pence": 1})


async def test_a_misspelt_field_of_one_of_many_events_is_an_error(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    sent = Change("parcel", parcel_id, 2, "sent", ParcelSentV1, fields={"carrier": "van", "colour": "red"})
    with pytest.raises(TypeError, match="no colour"):
        async with parcels.sessions.begin() as session:
            await record_many(session, [sent], by=CLERK, at=NOW)


async def test_a_history_comes_in_pages_oldest_first(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        changes = (Change("parcel", parcel_id, version, "weighed") for version in range(2, 12))
        await record_many(session, changes, by=CLERK, at=NOW)
    seen: list[int] = []
    cursor = None
    while True:
        async with parcels.sessions() as session:
            page = await history_page(session, parcel_id, HistoryQuery(limit=3, cursor=cursor))
        seen += [line.version for line in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == list(range(2, 12))


async def test_what_is_not_there_names_its_noun(parcels: Parcels) -> None:
    async with parcels.sessions() as session:
        for find in (get_row, lock_row):
            with pytest.raises(NotFound) as missing:
                await find(session, Parcel, UUID(int=1))
            assert (missing.value.code, missing.value.status) == ("parcel-not-found", 404)


async def test_the_database_itself_refuses_a_version_used_twice(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    with pytest.raises(UniqueViolationError):
        async with parcels.sessions.begin() as session:
            twice = [Change("parcel", parcel_id, 2, "sent"), Change("parcel", parcel_id, 2, "lost")]
            await record_many(session, twice, by=CLERK, at=NOW)
