"""A savepoint holds what goes by the driver, too: a session knows its connection before and after it."""

from __future__ import annotations

import asyncpg
import pytest
from council_common.database.many_rows import copy_rows
from council_common.database.sessions import driver, fetch_row
from frame_parcels import Parcels

RENAME = "UPDATE parcel SET name = $2 WHERE id = $1"
NAME = "SELECT name FROM parcel WHERE id = $1"


async def test_what_the_driver_did_in_a_savepoint_goes_with_it_and_the_transaction_goes_on(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        await fetch_row(session, NAME, parcel_id)
        await (await driver(session)).execute(RENAME, parcel_id, "before")
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with session.begin_nested():
                await (await driver(session)).execute(RENAME, parcel_id, "inside")
                await fetch_row(session, "SELECT 1 / 0")
        found = await fetch_row(session, NAME, parcel_id)
        assert found is not None and found["name"] == "before"
        async with session.begin_nested():
            await (await driver(session)).execute(RENAME, parcel_id, "kept")
    async with parcels.sessions() as session:
        found = await fetch_row(session, NAME, parcel_id)
    assert found is not None and found["name"] == "kept"


async def test_a_copy_that_is_refused_in_a_savepoint_leaves_the_transaction_as_it_was(parcels: Parcels) -> None:
    [parcel_id] = await parcels.pack()
    async with parcels.sessions.begin() as session:
        await fetch_row(session, NAME, parcel_id)
        with pytest.raises(asyncpg.PostgresError):
            async with session.begin_nested():
                await copy_rows(session, "parcel", ("id",), [(parcel_id,)])
        assert await fetch_row(session, NAME, parcel_id) is not None
