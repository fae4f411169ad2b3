"""The compose file: valid, hardened, closed to the outside, and nothing secret in it."""

import re

import jsonschema
import pytest
import yaml
from council_gateway import TABLE

ONE_SHOT = {"topics", *(f"{name}-migrate" for name in TABLE.services)}
LONG_RUNNING = {f"{name}-{part}" for name in TABLE.services for part in ("service", "worker")}
PARTS = {"gateway", "postgres", "kafka", "mail", "issuer"}


def test_it_is_a_compose_file(compose, schema):
    jsonschema.Draft202012Validator(schema("compose-spec")).validate(compose)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema("compose-spec")).validate(compose | {"servces": {}})


def test_everything_is_there(compose):
    assert set(compose["services"]) == ONE_SHOT | LONG_RUNNING | PARTS
    for name in TABLE.services:
        for part, command in (("service", "api"), ("worker", "worker"), ("migrate", "migrate")):
            each = compose["services"][f"{name}-{part}"]
            assert each["command"] == [command]
            assert each["build"]["args"] == {"SERVICE": name}
            assert each["image"] == f"council-payments/{name}-service:local"
            assert each["environment"]["DATABASE_URL"].endswith(f"@postgres:5432/{name}")
            assert each["environment"]["CLIENT_ID"] == f"{name}-service"


def test_only_the_gateway_and_the_mail_page_are_reachable_and_only_from_this_machine(compose):
    published = {name: each["ports"] for name, each in compose["services"].items() if "ports" in each}
    assert published == {
        "gateway": ["127.0.0.1:${GATEWAY_PORT:-8000}:8000"],
        "mail": ["127.0.0.1:${MAIL_PORT:-8026}:8025"],
    }
    assert compose["networks"]["back"] == {"internal": True}
    assert all(compose["services"][part]["networks"] == ["back"] for part in ("postgres", "kafka"))
    assert compose["services"]["gateway"]["networks"] == ["front"]


def test_every_container_is_hardened(compose):
    for name, each in compose["services"].items():
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert set(each["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert re.search(r":(?!latest)[\w.-]+$", each["image"]), name
        assert "healthcheck" in each, name


def test_services_wait_for_what_they_need(compose):
    services = compose["services"]
    for name in TABLE.services:
        for part in ("service", "worker"):
            waits = services[f"{name}-{part}"]["depends_on"]
            assert waits[f"{name}-migrate"]["condition"] == "service_completed_successfully"
            assert waits["topics"]["condition"] == "service_completed_successfully"
        assert services[f"{name}-migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
        assert services["gateway"]["depends_on"][f"{name}-service"]["condition"] == "service_healthy"
    assert services["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_secrets_come_from_the_environment(compose, root):
    """Every password is a variable without a default; one that not everybody needs is passed on when it is set."""
    text = (root / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"(PASSWORD|SECRET)[^\n]*:-", text)
    for each in compose["services"].values():
        for name, value in each.get("environment", {}).items():
            if name.endswith(("PASSWORD", "SECRET")):
                assert value is None or re.fullmatch(r"\$\{\w+:\?\}", value)


def test_the_gateway_knows_every_container_by_name(compose, root):
    config = yaml.safe_load((root / "deploy" / "gateway" / "envoy.compose.yaml").read_text(encoding="utf-8"))
    for cluster in config["static_resources"]["clusters"]:
        address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        host, port = (address["socket_address"][key] for key in ("address", "port_value"))
        assert compose["services"][host]["environment"]["PORT"] == str(port)


def test_the_broker_asks_for_a_name_on_every_port_and_each_service_has_its_own(compose):
    broker = compose["services"]["kafka"]["environment"]
    protocols = dict(pair.split(":") for pair in broker["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(protocols.values()) == {"SASL_PLAINTEXT"}
    assert set(protocols) == {each.split("://")[0] for each in broker["KAFKA_LISTENERS"].split(",")}
    assert broker["KAFKA_AUTHORIZER_CLASS_NAME"].endswith("StandardAuthorizer")
    assert "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND" not in broker
    known = set(re.findall(r"user_([\w-]+)=", broker["KAFKA_LISTENER_NAME_CLIENTS_PLAIN_SASL_JAAS_CONFIG"]))
    assert known == {"broker", "topics", *(f"{name}-service" for name in TABLE.services)}
    assert re.findall(r"user_([\w-]+)=", broker["KAFKA_LISTENER_NAME_CONTROLLER_PLAIN_SASL_JAAS_CONFIG"]) == ["broker"]
    for name in TABLE.services:
        for part in ("service", "worker", "migrate"):
            environment = compose["services"][f"{name}-{part}"]["environment"]
            assert environment["KAFKA_SASL_USERNAME"] == f"{name}-service"
            assert environment["KAFKA_SASL_PASSWORD"] == f"${{{name.upper()}_KAFKA_PASSWORD:?}}"
    assert compose["services"]["topics"]["environment"]["KAFKA_SASL_USERNAME"] == "topics"


def test_the_mail_sink_asks_for_a_secret(compose):
    sink = compose["services"]["mail"]["environment"]
    assert sink["MP_UI_AUTH"] == sink["MP_SMTP_AUTH"] == "mail:${MAIL_SINK_PASSWORD:?}"
