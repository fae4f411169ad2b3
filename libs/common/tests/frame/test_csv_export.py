"""A download says what the list says, whatever its cells hold and whatever becomes of the service with the names."""

import csv
import io
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from council_common.errors import Unavailable
from council_common.web.csv_export import NameBeside, csv_export, pounds, spreadsheet_cell
from frame_parcels import CLERK, NOW, Parcel, ParcelList, Parcels
from sqlalchemy import update

STRANGE = (
    *('=HYPERLINK("http://x";"y")', "+44 1865 000000", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201"),
    *(
        'Smith, "Jo" & Sons',
        "two\nlines",
        "a\r\nb",
        "semi;colon",
        "'quoted",
        " =1+1",
        "Zoë Łódź 株式会社",
        "1e5",
        "007",
    ),
)


class Suppliers:
    """Another service, which knows the names of all ids but some, and is away or has no such list when asked to."""

    def __init__(self, *, unknown: tuple[UUID, ...] = (), away_after: int | None = None) -> None:
        self.unknown = {str(id_) for id_ in unknown}
        self.away_after = away_after
        self.asked = 0
        self.is_there = True

    async def get(self, service: str, path: str, **params: Any) -> Any:
        del service, path
        self.asked += 1
        if self.away_after is not None and self.asked > self.away_after:
            raise Unavailable("supplier-service does not answer at the moment.")
        if not self.is_there:
            return None
        return {"items": [{"id": id_, "name": f"S {id_}"} for id_ in params["ids"] if id_ not in self.unknown]}


async def parts(parcels: Parcels, suppliers: Suppliers) -> list[str]:
    runtime: Any = SimpleNamespace(sessions=parcels.sessions, clients=suppliers)
    wanted, names = ParcelList(sort="id"), (NameBeside("id", "supplier", "/v1/suppliers"),)
    answer = await csv_export(runtime, wanted.csv_statement(), wanted.order, filename="parcels.csv", names=names)
    return [str(part) async for part in answer.body_iterator]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("text", STRANGE)
async def test_a_cell_is_one_text_that_no_spreadsheet_computes(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell.removeprefix("'") == text.removeprefix("'")
    computed = text[0] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    assert cell == (f"'{text}" if computed else text)
    assert spreadsheet_cell([text]) == cell


async def test_commas_quotes_and_lines_stay_in_their_cell(parcels: Parcels) -> None:
    ids = await parcels.pack(len(STRANGE))
    table: Any = Parcel.__table__  # type: ignore[attr-defined]
    async with parcels.sessions.begin() as session:
        for parcel_id, text in zip(ids, STRANGE, strict=True):
            await session.execute(update(table).where(table.c.id == parcel_id).values(name=text))
    rows = rows_of("".join(await parts(parcels, Suppliers())))
    assert [row["name"] for row in rows] == [spreadsheet_cell(text) for text in STRANGE]
    assert [UUID(row["id"]) for row in rows] == ids


@pytest.mark.parametrize(
    ("pence", "shown"),
    [(0, "0.00"), (-1, "-0.01"), (-100, "-1.00"), (10**15 - 1, "9999999999999.99"), (-(10**15), "-10000000000000.00")],
)
def test_money_is_in_pounds_to_the_penny(pence: int, shown: str) -> None:
    assert pounds(pence) == shown


async def test_a_name_that_is_not_known_there_is_empty(parcels: Parcels) -> None:
    ids = await parcels.pack(3)
    rows = rows_of("".join(await parts(parcels, Suppliers(unknown=(ids[1],)))))
    assert [row["id_name"] for row in rows] == [f"S {ids[0]}", "", f"S {ids[2]}"]


async def test_a_service_without_the_list_of_names_makes_no_list(parcels: Parcels) -> None:
    await parcels.pack(1)
    suppliers = Suppliers()
    suppliers.is_there = False
    with pytest.raises(Unavailable, match="supplier-service has no /v1/suppliers"):
        await parts(parcels, suppliers)


async def test_a_service_that_goes_away_in_the_middle_breaks_the_download_off(parcels: Parcels) -> None:
    await parcels.pack(1200)
    with pytest.raises(Unavailable):
        await parts(parcels, Suppliers(away_after=5))  # a thousand names were had


async def test_rows_that_are_added_or_changed_during_a_download_break_nothing(parcels: Parcels) -> None:
    ids = await parcels.pack(2100)
    runtime: Any = SimpleNamespace(sessions=parcels.sessions, clients=None)
    wanted = ParcelList(sort="id")
    answer = await csv_export(runtime, wanted.csv_statement(), wanted.order, filename="parcels.csv")
    text, table = "", Parcel.__table__  # type: ignore[attr-defined]
    async for part in answer.body_iterator:
        text += str(part)
        async with parcels.sessions.begin() as session:
            await session.execute(update(table).where(table.c.id.in_((ids[0], ids[-1]))).values(name=CLERK.name))
        await parcels.pack(1, day=NOW.date().replace(day=20))
    rows = rows_of(text)
    assert [UUID(row["id"]) for row in rows][:2100] == ids
    assert (rows[0]["name"], rows[2099]["name"]) == ("parcel 0", CLERK.name)
    assert len({row["id"] for row in rows}) == len(rows) <= 2103
