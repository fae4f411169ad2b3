from datetime import UTC, datetime, timedelta

import pytest
from council_common.database import history
from council_common.database.history import history_of, record_change
from council_common.identity.actor import SYSTEM
from council_common.ids import new_id
from things_service import Things, thing


async def test_the_newest_changes_cannot_be_buried(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_CHANGES", 3)
    began = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)
    async with things.sessions.begin() as session:
        for number, entity_id in enumerate([thing(1)] * 5 + [new_id()]):
            at = began + timedelta(minutes=number)
            await record_change(
                session, entity="thing", entity_id=entity_id, version=number, action="counted", by=SYSTEM, at=at
            )
        assert [each.version for each in await history_of(session, thing(1))] == [2, 3, 4]
