import csv
import io

from council_common.web.csv_download import csv_download
from sqlalchemy import BigInteger, Integer, Text, Uuid, column, select, table, text
from things_service import Things, thing

effect = table("effect", column("position", BigInteger), column("thing_id", Uuid), column("number", Integer))
things_table = table("thing", column("id", Uuid), column("name", Text))


async def _downloaded(things: Things, statement: object, *keys: object) -> str:
    answer = csv_download(things.sessions, statement, *keys, filename="list.csv")  # type: ignore[arg-type]
    assert answer.headers["content-disposition"] == 'attachment; filename="list.csv"'
    return "".join([str(part) async for part in answer.body_iterator])


async def test_a_long_list_is_whole_and_in_order(things: Things) -> None:
    async with things.sessions.begin() as session:
        await session.execute(
            text("INSERT INTO effect (thing_id, number) SELECT :id, n % 7 FROM generate_series(1, 2500) AS n"),
            {"id": thing(1)},
        )
    statement = select(effect.c.number, effect.c.position)
    written = await _downloaded(things, statement, effect.c.number, effect.c.position)
    assert written.count("\ufeff") == 1
    rows = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"))))
    assert rows[0] == ["number", "position"]
    told = [(int(number), int(position)) for number, position in rows[1:]]
    assert told == sorted((position % 7, position) for position in range(1, 2501))


async def test_an_empty_list_has_its_header_and_no_cell_is_computed(things: Things) -> None:
    names = select(things_table.c.id, things_table.c.name)
    assert await _downloaded(things, names, things_table.c.id) == "\ufeffid,name\r\n"
    async with things.sessions.begin() as session:
        await session.execute(text("INSERT INTO thing VALUES (:id, '=1+1')"), {"id": thing(1)})
    written = await _downloaded(things, names, things_table.c.id)
    assert written.splitlines()[1] == f"{thing(1)},'=1+1"
