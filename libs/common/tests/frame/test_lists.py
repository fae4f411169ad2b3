import base64
import csv
import io
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Annotated, Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
from council_common.errors import Malformed, Unavailable
from council_common.web.csv_export import NameBeside, csv_export, report_csv
from council_common.web.lists import TODAY, ResourceList, Where
from council_common.web.resource_routes import read_route
from fastapi import APIRouter, Response
from frame_parcels import Parcel, ParcelList, Parcels
from pydantic import BaseModel, ValidationError

# ["-packed_on", "x", "no uuid"]: well formed, and wrong. The last three: an empty list, 5 and null.
FORGED = base64.urlsafe_b64encode(b'["-packed_on", "x", "no uuid"]').decode()
STRANGE_CURSORS = ("rubbish", FORGED, "W10=", "NQ==", "bnVsbA==")


async def walk(parcels: Parcels, **query: Any) -> list[Any]:
    seen: list[Any] = []
    cursor = None
    while True:
        async with parcels.sessions() as session:
            rows, cursor = await ParcelList(**query, cursor=cursor).page(session)
        assert len(rows) <= query["limit"]
        seen += rows
        if cursor is None:
            return seen


@pytest.mark.parametrize("limit", [1, 7, 33, 100])
async def test_pages_give_every_row_once_in_order(parcels: Parcels, limit: int) -> None:
    await parcels.pack(100)
    upwards = [(row.packed_on, row.id) for row in await walk(parcels, limit=limit, sort="packed_on")]
    assert len(set(upwards)) == len(upwards) == 100
    assert upwards == sorted(upwards)
    assert [(row.packed_on, row.id) for row in await walk(parcels, limit=limit)] == upwards[::-1]
    by_id = [row.id for row in await walk(parcels, limit=limit, sort="id")]
    assert by_id == sorted(by_id)


@pytest.mark.parametrize("cursor", STRANGE_CURSORS)
async def test_a_strange_cursor_is_refused(parcels: Parcels, cursor: str) -> None:
    with pytest.raises(Malformed):
        async with parcels.sessions() as session:
            await ParcelList(cursor=cursor).page(session)


async def test_each_filter_narrows_the_list(parcels: Parcels) -> None:
    ids = await parcels.pack(60)
    for query, wanted in (
        ({"status": "sent"}, 0),
        ({"status": "packed"}, 60),
        ({"packed_from": "2026-03-07"}, 8),
        ({"packed_to": "2026-03-01"}, 9),
        ({"weight_pence_from": 50}, 10),
        ({"heavy": True}, 9),
        ({"heavy": False}, 51),
        ({"ids": ids[:3]}, 3),
        ({"changed_since": "2026-01-01T00:00:00Z"}, 60),
        ({"changed_since": datetime.now(UTC) + timedelta(hours=1)}, 0),
    ):
        async with parcels.sessions() as session:
            rows, _ = await ParcelList(limit=100, **query).page(session)  # type: ignore[arg-type]
        assert len(rows) == wanted, query


async def test_every_write_shows_in_changed_since(parcels: Parcels) -> None:
    [old, new] = await parcels.pack(2)
    async with parcels.sessions.begin() as session:
        since = (await session.get_one(Parcel, old)).changed_at
    assert since is not None
    async with parcels.sessions.begin() as session:
        (await session.get_one(Parcel, new)).name = "renamed"
    async with parcels.sessions() as session:
        rows, _ = await ParcelList(changed_since=since + timedelta(microseconds=1)).page(session)
    assert [row.id for row in rows] == [new]


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ({"statsu": "sent"}, "statsu", "status"),
        ({"sort": "colour"}, "sort", "packed_on"),
        ({"limit": 201}, "limit", ""),
        ({"packed_from": "1773187200"}, "packed_from", ""),
    ],
)
def test_what_a_list_does_not_know_is_refused(query: dict[str, Any], field: str, expected: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ParcelList(**query)
    [error] = refused.value.errors()
    assert error["loc"] == (field,)
    assert expected in error["msg"]


def test_a_filter_that_is_no_column_is_a_mistake_of_the_declaration() -> None:
    with pytest.raises(TypeError, match="colour"):

        class WrongList(ResourceList, of=Parcel):
            colour: str | None = None


class Suppliers:
    """Names as another service's list shows them, two hundred at a time."""

    def __init__(self, *, away: bool = False) -> None:
        self.asked: list[int] = []
        self.away = away

    async def get(self, service: str, path: str, **params: Any) -> Any:
        if self.away:
            raise Unavailable("away")
        assert (service, path) == ("supplier", "/v1/suppliers")
        self.asked.append(len(params["ids"]))
        return {"items": [{"id": each, "name": f"=S {each[-4:]}"} for each in params["ids"]], "next": None}


async def downloaded(parcels: Parcels, suppliers: Suppliers, **query: Any) -> list[dict[str, str]]:
    wanted = ParcelList(**query)
    runtime: Any = SimpleNamespace(sessions=parcels.sessions, clients=suppliers)
    names = (NameBeside("id", "supplier", "/v1/suppliers"),)
    answer = await csv_export(runtime, wanted.csv_statement(), wanted.order, filename="parcels.csv", names=names)
    assert answer.headers["content-disposition"] == 'attachment; filename="parcels.csv"'
    text = "".join([str(part) async for part in answer.body_iterator])
    assert text.count("\ufeff") == 1
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_a_long_list_is_exported_whole_in_its_order_with_names_and_pounds(parcels: Parcels) -> None:
    await parcels.pack(2500)
    suppliers = Suppliers()
    rows = await downloaded(parcels, suppliers)
    assert list(rows[0]) == ["id", "id_name", "name", "weight_pounds", "packed_on", "status"]
    keys = [(row["packed_on"], UUID(row["id"])) for row in rows]
    assert len(set(keys)) == 2500
    assert keys == sorted(keys, reverse=True)
    assert {row["weight_pounds"] for row in rows} >= {"0.00", "0.07", "24.99"}
    assert all(row["id_name"].startswith("'=S ") for row in rows)
    assert sum(suppliers.asked) == 2500
    assert max(suppliers.asked) == 200


async def test_an_empty_list_has_its_header_and_no_names_no_list(parcels: Parcels) -> None:
    assert await downloaded(parcels, Suppliers()) == []
    await parcels.pack(1)
    with pytest.raises(Unavailable):
        await downloaded(parcels, Suppliers(away=True))
    assert [row["packed_on"] for row in await downloaded(parcels, Suppliers())] == [str(date(2026, 3, 1))]


def test_a_report_as_csv_has_a_lists_cells() -> None:
    answer = report_csv(("key", "owed_pence", "debts"), [("=1+1", 123_45, 2), ("rents", None, 0)], filename="aged.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="aged.csv"'
    rows = list(csv.reader(io.StringIO(bytes(answer.body).decode("utf-8-sig"))))
    assert rows == [["key", "owed_pounds", "debts"], ["'=1+1", "123.45", "2"], ["rents", "", "0"]]


async def test_what_never_changes_has_no_etag() -> None:
    """Read by its id; a table without a column `version`."""
    table = SimpleNamespace(__tablename__="stamp")
    router = APIRouter()

    class StampOut(BaseModel):
        name: str

        @classmethod
        def of(cls, row: Any) -> "StampOut":
            return cls(name=row.name)

    read_route(router, StampOut, of=table, scope="stamps:read")
    [route] = router.routes
    session = SimpleNamespace(get=AsyncMock(return_value=SimpleNamespace(name="red")))
    response = Response()
    shown = await route.endpoint(UUID(int=1), session, response, None)  # type: ignore[attr-defined]
    assert (shown.name, "etag" in response.headers) == ("red", False)


class PackedByTodayList(ResourceList, of=Parcel, csv=("id",)):
    packed: Annotated[bool | None, Where(lambda packed: (Parcel.__table__.c.packed_on <= TODAY) == packed)] = None  # type: ignore[attr-defined]


async def test_a_condition_may_depend_on_the_date_of_the_request(parcels: Parcels) -> None:
    await parcels.pack(7)
    async with parcels.sessions() as session:
        for day, packed in ((date(2026, 3, 1), 1), (date(2026, 3, 7), 7)):
            rows, _ = await PackedByTodayList(packed=True).page(session, today=day)
            exported = (await session.execute(PackedByTodayList(packed=True).csv_statement(today=day))).all()
            assert len(rows) == len(exported) == packed
