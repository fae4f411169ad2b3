from datetime import UTC, datetime, timedelta

from council_common.events.handlers import Received
from council_common.events.inbox import mark_handled, purge_marks
from council_common.ids import new_id
from things_service import Things

HANDLED = """
SELECT sum(count)::int
FROM (SELECT count(*) FROM inbox UNION ALL SELECT sum(count) FROM events_forgotten) AS marks
"""


async def test_how_many_were_handled_is_known_when_the_marks_are_forgotten(things: Things) -> None:
    now = datetime.now(UTC)
    for handled in (3, 2):
        async with things.sessions.begin() as session:
            received = [Received(things.an_event(number, of=1), new_id(), now) for number in range(handled)]
            assert len(await mark_handled(session, received)) == handled
            await purge_marks(session, before=now + timedelta(days=1))
            await mark_handled(session, received[:1])
    assert await things.scalar("SELECT count(*) FROM inbox") == 1
    assert await things.scalar(HANDLED) == 3 + 1 + 2 + 1
