"""What the gateway takes away, adds, counts and writes down."""

import json
from http.client import HTTPConnection

import httpx
import pytest

MIB = 1024 * 1024


def chunks(total: int):
    for _ in range(total // 65536):
        yield b"x" * 65536


def test_callers_cannot_say_who_they_are_to_the_services(gateway):
    forged = {
        "x-internal-sub": "manager",
        "x-forwarded-for": "10.1.2.3",
        "x-forwarded-host": "elsewhere",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-request-id": "mine",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    answer = gateway("GET", "/v1/invoices", headers=forged)
    got = dict(answer.json()["headers"])
    assert not [name for name in got if name.startswith(("x-internal-", "x-envoy-")) or name == "x-forwarded-host"]
    assert forged["x-forwarded-for"] not in got["x-forwarded-for"]
    assert got["traceparent"] == forged["traceparent"]
    assert got["x-request-id"] == answer.headers["x-request-id"] != "mine"


def test_headers_with_underscores_are_refused(gateway):
    assert gateway("GET", "/v1/invoices", headers={"x_internal_sub": "manager"}).status_code == 400


@pytest.mark.parametrize(("path", "token"), [("/v1/invoices", "good"), ("/v1/invoices", None), ("/nowhere", None)])
def test_every_answer_has_the_security_headers(gateway, path, token):
    headers = gateway("GET", path, token=token).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert not {"server", "x-powered-by"} & set(headers)
    assert not [name for name in headers if name.startswith("x-envoy-")]


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/approval-limits", MIB - 1024, 200),
        ("/v1/approval-limits", MIB + 65536, 413),
        ("/v1/suppliers", 4 * MIB, 200),
        ("/v1/suppliers", 16 * MIB + 65536, 413),
        ("/v1/invoice-imports", 24 * MIB, 200),
    ],
)
def test_a_body_has_a_bound(gateway, path, size, status):
    answer = gateway("POST", path, content=b"x" * size)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["bytes"] == size
    else:
        assert answer.json()["code"] == "body-too-large"


@pytest.mark.parametrize(("path", "status"), [("/v1/approval-limits", 413), ("/v1/bank-statements", 200)])
def test_chunked_bodies_are_counted_too(gateway, path, status):
    try:
        answer = gateway("POST", path, content=chunks(3 * MIB))
    except httpx.WriteError:
        # The gateway has answered and closed while the rest was still being sent.
        assert status == 413
        return
    assert answer.status_code == status


def test_a_file_over_the_bound_is_refused_before_it_is_sent(gateway, upstreams):
    before = len(upstreams.stubs["invoice"].seen)
    connection = HTTPConnection(gateway.url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/v1/invoice-imports")
    connection.putheader("authorization", f"Bearer {upstreams.issuer.token()}")
    connection.putheader("content-length", str(256 * MIB + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["code"] == "body-too-large"
    connection.close()
    assert len(upstreams.stubs["invoice"].seen) == before


def test_the_log_tells_who_asked_what_and_no_secrets(gateway, upstreams):
    token = upstreams.issuer.token(sub="assistant-7", client_id="erp")
    gateway("GET", "/v1/customers/log-me?name=Mrs+Secret", token=token)
    line = gateway.logged("/v1/customers/log-me")
    assert (line["status"], line["service"], line["route"]) == (200, "debt", "customers.read")
    assert (line["sub"], line["client"]) == ("assistant-7", "erp")
    everything = gateway.log.read_text(encoding="utf-8")
    assert "Secret" not in everything
    assert token.split(".")[2] not in everything


def test_the_admin_page_offers_no_secrets_and_no_switch(gateway):
    assert httpx.get(f"{gateway.admin}/ready").status_code == 200
    assert httpx.get(f"{gateway.admin}/config_dump").status_code == 403
    assert httpx.post(f"{gateway.admin}/quitquitquit").status_code == 403
