"""Slow, absent and breaking services; callers who ask too much."""


def test_a_slow_answer_ends_in_504(impatient):
    answer = impatient("GET", "/v1/suppliers/slow", token=impatient.upstreams.issuer.token(sub="patient"))
    assert answer.status_code == 504
    assert answer.json()["code"] == "timeout"
    assert answer.json()["instance"] == "/v1/suppliers/slow"


def test_an_absent_service_is_said_to_be_away(impatient):
    answer = impatient("POST", "/v1/customers", json={}, token=impatient.upstreams.issuer.token(sub="poster"))
    assert answer.status_code == 503
    assert answer.json()["code"] == "unavailable"
    assert answer.headers["retry-after"] == "5"


def test_one_callers_rush_leaves_the_others_alone(impatient):
    rushing, other = (impatient.upstreams.issuer.token(sub=name) for name in ("rushing", "calm"))
    answers = [impatient("GET", "/v1/suppliers", token=rushing) for _ in range(15)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert limited[0].json()["code"] == "rate-limited"
    assert "retry-after" in limited[0].headers
    assert impatient("GET", "/v1/suppliers", token=other).status_code == 200


def test_many_callers_are_each_limited(impatient):
    """With Envoy's default of twenty remembered callers, twenty-five taking turns would never be limited."""
    tokens = [impatient.upstreams.issuer.token(sub=f"caller-{number}") for number in range(25)]
    statuses = {impatient("GET", "/v1/suppliers", token=token).status_code for _ in range(10) for token in tokens}
    assert statuses == {200, 429}


def test_a_question_is_asked_again_when_the_connection_breaks(gateway, upstreams):
    assert gateway("GET", "/v1/messages/break").status_code == 200
    assert upstreams.stubs["notification"].seen.count("GET /v1/messages/break") == 3


def test_a_change_that_may_have_arrived_is_never_sent_twice(gateway, upstreams):
    answer = gateway("POST", "/v1/messages/break", json={})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert upstreams.stubs["notification"].seen.count("POST /v1/messages/break") == 1


def test_an_upload_is_never_sent_twice(gateway, upstreams):
    assert gateway("POST", "/v1/bacs-reports/break", content=b"x" * 65536).status_code == 503
    assert upstreams.stubs["debt"].seen.count("POST /v1/bacs-reports/break") == 1
