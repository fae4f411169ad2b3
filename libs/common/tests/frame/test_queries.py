import httpx
import pytest
from council_common.testing.harness import Harness
from frame_parcels import ParcelList, Parcels

PATHS = ("/v1/parcels", "/v1/parcels/export.csv")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=packed&status=sent", "status"),
        ("limit=5&limit=6", "limit"),
        ("sort=id&status=packed&sort=-id", "sort"),
        ("colour=red&colour=blue", "colour"),
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_a_parameter_that_is_given_twice_is_refused(
    erp: httpx.AsyncClient, path: str, query: str, field: str
) -> None:
    refused = await erp.get(f"{path}?{query}")
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed")
    assert refused.json()["errors"] == [{"field": field, "problem": "given more than once", "expected": "one value"}]


@pytest.mark.parametrize("name", ["limit", "cursor"])
async def test_a_whole_list_has_no_pages(service: Harness, erp: httpx.AsyncClient, name: str) -> None:
    operations = {path: service.app.openapi()["paths"][path]["get"]["parameters"] for path in PATHS}
    offered = {path: [parameter["name"] for parameter in operations[path]] for path in PATHS}
    assert [name in offered[path] for path in PATHS] == [True, False]
    refused = await erp.get(f"/v1/parcels/export.csv?{name}=5")
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["problem"]) == (name, "unknown here")
    assert "sort" in error["expected"] and name not in error["expected"]


async def test_a_list_says_by_what_it_sorts(service: Harness) -> None:
    for path in PATHS:
        parameters = service.app.openapi()["paths"][path]["get"]["parameters"]
        [sort] = [parameter for parameter in parameters if parameter["name"] == "sort"]
        for name in ParcelList.orders:
            assert name in sort["description"]
        assert f"{ParcelList.default_order} when absent" in sort["description"]


async def test_ids_are_given_as_often_as_there_are(service: Harness, erp: httpx.AsyncClient) -> None:
    ids = await Parcels(service.runtime.sessions).pack(3)
    answer = await erp.get(f"/v1/parcels?ids={ids[0]}&ids={ids[1]}&ids={ids[1]}&status=packed")
    assert {item["id"] for item in answer.json()["items"]} == {str(each) for each in ids[:2]}


@pytest.mark.parametrize(
    "since", ["1773187200", "2026-03-11", "2026-03-11T09:30:00", "0001-01-01T00:00:00%2B14:00", "tomorrow", "%00"]
)
async def test_a_time_that_is_none_is_refused_in_words(erp: httpx.AsyncClient, since: str) -> None:
    refused = await erp.get(f"/v1/parcels?changed_since={since}")
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["expected"]) == ("changed_since", "a time such as 2026-01-31T09:30:00Z")


async def test_a_parameter_of_a_page_of_one_thing_is_given_once(service: Harness, erp: httpx.AsyncClient) -> None:
    [parcel_id] = await Parcels(service.runtime.sessions).pack()
    refused = await erp.get(f"/v1/parcels/{parcel_id}/history?limit=5&limit=6")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "limit")
