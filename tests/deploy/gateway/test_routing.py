import pytest
from council_gateway import TABLE

PROBLEM = "application/problem+json"


@pytest.mark.parametrize("service", TABLE.services)
def test_each_resource_reaches_its_owner(gateway, service):
    for resource in TABLE.of_service(service):
        for path in (resource.path, f"{resource.path}/7/history?limit=5"):
            answer = gateway("GET", path)
            assert answer.status_code == 200, path
            assert (answer.json()["service"], answer.json()["target"]) == (service, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/",
        "/v1/invoicesX",
        "/v1/invoice",
        "/v1/reports",
        "/v2/invoices",
        "/metrics",
        "/health/",
        "/health/live/x",
        "/docs",
        "/openapi.json",
        "/openapi/payroll.json",
        "/openapi/debt.json/x",
        "/v1/../metrics",
        "/v1/invoices/../../metrics",
    ],
)
@pytest.mark.parametrize("token", ["good", None])
def test_unknown_paths_are_unknown_to_everybody(gateway, upstreams, path, token):
    before = {name: len(stub.seen) for name, stub in upstreams.stubs.items()}
    answer = gateway("GET", path, token=token)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["code"] == "no-such-resource"
    assert answer.json()["type"] == "urn:council-payments:problem:no-such-resource"
    assert {name: len(stub.seen) for name, stub in upstreams.stubs.items()} == before


def test_the_gateway_answers_for_its_own_health(gateway, upstreams):
    before = {name: list(stub.seen) for name, stub in upstreams.stubs.items()}
    assert gateway("GET", "/health/live", token=None).text == "ok\n"
    assert gateway("GET", "/health/ready", token=None).status_code == 200
    assert {name: list(stub.seen) for name, stub in upstreams.stubs.items()} == before


@pytest.mark.parametrize("service", TABLE.services)
def test_api_documents_are_public(gateway, service):
    answer = gateway("GET", f"/openapi/{service}.json", token=None)
    assert (answer.json()["service"], answer.json()["target"]) == (service, "/openapi.json")
    assert gateway("POST", f"/openapi/{service}.json", json={}).status_code == 404


@pytest.mark.parametrize("path", ["/v1/invoices%2F..%2Fmetrics", "/v1%5Cinvoices"])
def test_hidden_slashes_are_refused(gateway, path):
    answer = gateway("GET", path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == PROBLEM


def test_doubled_slashes_are_one(gateway):
    assert gateway("GET", "/v1//invoices").json()["target"] == "/v1/invoices"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_passes(gateway, upstreams, method):
    assert gateway(method, f"/v1/agreements/{method}").status_code == 200
    assert upstreams.stubs["rebate"].seen[-1] == f"{method} /v1/agreements/{method}"


def test_long_answers_are_compressed_and_keep_their_version(gateway):
    answer = gateway("GET", "/v1/invoices/long", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["etag"] == 'W/"7"'
