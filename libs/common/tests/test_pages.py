import base64

import pytest
from council_common.errors import Malformed
from council_common.web.pages import PageQuery, fetch_page
from sqlalchemy import Integer, Uuid, column, select, table, text
from things_service import Things, thing

# ["number", "x", "no uuid"]: well formed, and wrong
FORGED = base64.urlsafe_b64encode(b'["number", "x", "no uuid"]').decode()

effect = table("effect", column("thing_id", Uuid), column("number", Integer), column("position", Integer))


async def _fill(things: Things) -> None:
    async with things.sessions.begin() as session:
        await session.execute(
            text("INSERT INTO effect (thing_id, number) VALUES (:id, :number)"),
            [{"id": thing(number), "number": number % 7} for number in range(100)],
        )


async def _walk(things: Things, sort: str, limit: int) -> list[tuple[int, object]]:
    seen: list[tuple[int, object]] = []
    cursor = None
    while True:
        async with things.sessions() as session:
            rows, cursor = await fetch_page(
                session,
                select(effect.c.number, effect.c.thing_id),
                query=PageQuery(limit=limit, cursor=cursor, sort=sort),
                sortable={"number": effect.c.number},
                default="number",
                id_column=effect.c.thing_id,
            )
        assert len(rows) <= limit
        seen += [(row[0], row[1]) for row in rows]
        if cursor is None:
            return seen


@pytest.mark.parametrize("limit", [1, 7, 33, 100])
async def test_pages_give_every_row_once_in_order(things: Things, limit: int) -> None:
    await _fill(things)
    upwards = await _walk(things, "number", limit)
    assert len(set(upwards)) == len(upwards) == 100
    assert upwards == sorted(upwards)
    assert await _walk(things, "-number", limit) == upwards[::-1]


# The last three: an empty list, 5 and null.
CURSORS = ("rubbish", FORGED, "W10=", "NQ==", "bnVsbA==")
STRANGE = [PageQuery(sort="colour"), *(PageQuery(cursor=cursor) for cursor in CURSORS)]


@pytest.mark.parametrize("query", STRANGE)
async def test_an_unknown_order_or_a_strange_cursor_is_told(things: Things, query: PageQuery) -> None:
    with pytest.raises(Malformed):
        async with things.sessions() as session:
            await fetch_page(
                session,
                select(effect.c.number, effect.c.thing_id),
                query=query,
                sortable={"number": effect.c.number},
                default="number",
                id_column=effect.c.thing_id,
            )
