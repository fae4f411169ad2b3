"""The manifests: valid, restricted, alike, and complete; sources always, rendered overlays where kubectl is."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from council_gateway import TABLE

K8S = Path(__file__).resolve().parents[2] / "deploy" / "k8s"
KUBERNETES = "1.34"
# These are validated with the schemas beside this file.
CUSTOM = {
    "Gateway", "HTTPRoute", "ClientTrafficPolicy", "BackendTrafficPolicy", "SecurityPolicy", "HTTPRouteFilter",
    "EnvoyProxy", "ScaledObject", "TriggerAuthentication",
}  # fmt: skip
SOURCES = sorted(path for path in K8S.rglob("*.yaml") if path.name not in {"kustomization.yaml", "references.yaml"})


def validate(document: dict[str, Any], schema: Any) -> None:
    if document["kind"] in CUSTOM:
        jsonschema.Draft202012Validator(schema(document["kind"])).validate(document)
    else:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def of_kind(documents: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(each for each in of_kind(documents, kind) if each["metadata"]["name"] == name)


def settings_of(documents: list[dict[str, Any]], workload: dict[str, Any]) -> dict[str, str]:
    """What a pod finds in its environment, its secret's keys excepted."""
    found: dict[str, str] = {}
    for source in workload["spec"]["template"]["spec"]["containers"][0]["envFrom"]:
        if "configMapRef" in source:
            found |= named(documents, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(K8S)))
def test_each_source_is_valid(path, schema):
    documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    assert documents
    for document in documents:
        validate(document, schema)


def test_the_schemas_refuse_an_unknown_field(schema):
    route = next(yaml.safe_load_all((K8S / "gateway" / "routes.yaml").read_text(encoding="utf-8")))
    route["spec"]["rules"][0]["timeout"] = "1s"
    with pytest.raises(jsonschema.ValidationError):
        validate(route, schema)


def test_every_file_is_in_a_kustomization():
    for path in SOURCES:
        listed = yaml.safe_load((path.parent / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
        assert path.name in listed, path


def test_nothing_secret_is_in_a_manifest():
    for path in K8S.rglob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert (document or {}).get("kind") != "Secret", path
            assert "secretGenerator" not in (document or {}), path


def test_each_rendered_object_is_valid_and_one_of_its_name(rendered, schema):
    for document in rendered:
        validate(document, schema)
    names = Counter((each["kind"], each["metadata"]["name"]) for each in rendered)
    assert [name for name, count in names.items() if count > 1] == []
    assert {each["metadata"].get("namespace") for each in of_kind(rendered, *CUSTOM, "Deployment", "Job")} == {
        of_kind(rendered, "Namespace")[0]["metadata"]["name"]
    }


@pytest.mark.parametrize("service", TABLE.services)
def test_each_service_has_its_parts(rendered, service):
    api, worker = (named(rendered, "Deployment", f"{service}-{part}") for part in ("service", "worker"))
    job = named(rendered, "Job", f"{service}-migrate")
    assert [each["spec"]["template"]["spec"]["containers"][0]["args"] for each in (api, worker, job)] == [
        ["api"], ["worker"], ["migrate"],
    ]  # fmt: skip
    labels = api["spec"]["template"]["metadata"]["labels"]
    assert named(rendered, "Service", f"{service}-service")["spec"]["selector"].items() <= labels.items()
    assert api["spec"]["selector"]["matchLabels"] != worker["spec"]["selector"]["matchLabels"]
    scaler = named(rendered, "HorizontalPodAutoscaler", f"{service}-service")["spec"]
    assert scaler["scaleTargetRef"]["name"] == f"{service}-service"
    keda = named(rendered, "ScaledObject", f"{service}-worker")["spec"]
    assert keda["scaleTargetRef"]["name"] == f"{service}-worker"
    trigger = keda["triggers"][0]
    assert trigger["metadata"]["consumerGroup"] == f"{service}-service"
    assert named(rendered, "TriggerAuthentication", trigger["authenticationRef"]["name"])
    for workload in (api, worker, job):
        pod = workload["spec"]["template"]["spec"]
        assert pod["containers"][0]["image"].split(":")[0].endswith(f"/{service}-service")
        assert pod["containers"][0]["envFrom"][-1] == {"secretRef": {"name": f"{service}-service"}}
        assert settings_of(rendered, workload)["CLIENT_ID"] == f"{service}-service"


def test_pods_are_restricted(rendered):
    for workload in of_kind(rendered, "Deployment", "Job"):
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]["limits"]) >= {"cpu", "memory"}
            assert set(container["resources"]["requests"]) >= {"cpu", "memory"}
            assert re.fullmatch(r"[a-z0-9./-]+:(?!latest)[a-zA-Z0-9._-]+", container["image"])


def test_a_pod_has_time_to_finish(rendered):
    for workload in of_kind(rendered, "Deployment"):
        pod = workload["spec"]["template"]["spec"]
        container = pod["containers"][0]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        # The service gives open requests 20 s (council_common.service.command).
        assert pod["terminationGracePeriodSeconds"] >= pause + 25


def test_network_policies_deny_by_default_and_each_is_for_one_service(rendered):
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(rendered, "NetworkPolicy")}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for service in TABLE.services:
        labels = policies[f"{service}-service"]["podSelector"]["matchLabels"]
        assert labels["council.gov.uk/service"] == service
        for part in ("service", "worker"):
            pod = named(rendered, "Deployment", f"{service}-{part}")["spec"]["template"]["metadata"]["labels"]
            assert labels.items() <= pod.items()
        ports = [port["port"] for rule in policies[f"{service}-service"]["egress"] for port in rule["ports"]]
        assert {5432, 9092, 443, 8000} <= set(ports)
        # A selector of others that kustomize narrowed to the service itself would let nobody in.
        for rule in policies[f"{service}-service"]["ingress"]:
            assert not any("matchLabels" in peer.get("podSelector", {}) for peer in rule["from"])


def test_a_service_may_reach_the_services_it_asks(rendered, root):
    """Whom its code asks (`clients.get("supplier", …)`) is whom its policy lets it reach."""
    for service in TABLE.services:
        source = root / "services" / f"{service}-service" / "src"
        text = "\n".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py")).lower()
        asked = {
            name
            for name in TABLE.services
            if re.search(rf'\.(get|post)\(\s*"{name}"|{name}_service_url', text) and name != service
        }
        policy = named(rendered, "NetworkPolicy", f"{service}-service")["spec"]
        allowed = {
            name
            for rule in policy["egress"]
            for peer in rule["to"]
            for expression in peer.get("podSelector", {}).get("matchExpressions", [])
            for name in expression["values"]
        }
        assert asked <= allowed, f"{service} also asks {sorted(asked - allowed)}"


def test_gateway_and_services_trust_the_same_issuer(rendered):
    config = settings_of(rendered, named(rendered, "Deployment", "debt-service"))
    provider = named(rendered, "SecurityPolicy", "tokens")["spec"]["jwt"]["providers"][0]
    assert provider["issuer"] == config["OIDC_ISSUER"]
    assert provider["audiences"] == [config["OIDC_AUDIENCE"]]
    assert provider["remoteJWKS"]["uri"].startswith(config["OIDC_ISSUER"])


def test_every_resource_is_routed_to_its_owner_and_no_route_is_without_a_backend(rendered):
    routed: dict[str, str] = {}
    for route in of_kind(rendered, "HTTPRoute"):
        assert len(route["spec"]["rules"]) <= 16
        for rule in route["spec"]["rules"]:
            assert len(rule.get("matches", [])) <= 64
            for backend in rule.get("backendRefs", []):
                assert named(rendered, "Service", backend["name"])["spec"]["ports"][0]["port"] == backend["port"]
                routed |= {match["path"]["value"]: backend["name"] for match in rule["matches"]}
    resources = {each.path: f"{each.service}-service" for each in TABLE.resources}
    documents = {f"/openapi/{name}.json": f"{name}-service" for name in TABLE.services}
    assert routed == resources | documents


def test_database_and_broker_are_reached_over_tls(rendered, root):
    for service in TABLE.services:
        config = settings_of(rendered, named(rendered, "Deployment", f"{service}-worker"))
        assert config["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
        assert config["KAFKA_SASL_USERNAME"] == f"{service}-service"
        trigger = named(rendered, "ScaledObject", f"{service}-worker")["spec"]["triggers"][0]["metadata"]
        assert trigger["tls"] == "enable"
        assert trigger["sasl"] == config["KAFKA_SASL_MECHANISM"].lower().replace("-sha-", "_sha")
    assert "?sslmode=verify-full" in (K8S / "README.md").read_text(encoding="utf-8")


def test_traffic_is_routed_by_what_needs_the_database_only(rendered):
    """A broker that is away must not take the API away: its events wait in the outbox."""
    for service in TABLE.services:
        api = named(rendered, "Deployment", f"{service}-service")["spec"]["template"]["spec"]["containers"][0]
        assert api["readinessProbe"]["httpGet"]["path"] == "/health/serving"
    check = named(rendered, "BackendTrafficPolicy", "traffic")["spec"]["healthCheck"]["active"]
    assert check["http"]["path"] == "/health/serving"


def test_the_first_step_of_a_delivery_has_the_migrations_and_starts_no_worker(rendered):
    """deploy/k8s/README.md, "Delivering a version", step 3."""
    selector = "app.kubernetes.io/component notin (api,worker)"
    assert f"'{selector}'" in (K8S / "README.md").read_text(encoding="utf-8")

    def is_first(document: dict[str, Any]) -> bool:
        return document["metadata"].get("labels", {}).get("app.kubernetes.io/component") not in {"api", "worker"}

    first = [document for document in rendered if is_first(document)]
    jobs = {each["metadata"]["name"] for each in of_kind(first, "Job")}
    assert jobs == {"topics", *(f"{service}-migrate" for service in TABLE.services)}
    started = {
        each["metadata"]["name"] for each in of_kind(first, "Deployment", "ScaledObject", "HorizontalPodAutoscaler")
    }
    assert started <= {"mail"}
    # What a migration needs is there with it.
    for kind in ("Namespace", "ConfigMap", "NetworkPolicy"):
        assert of_kind(first, kind) == of_kind(rendered, kind)


def test_nothing_of_a_test_reaches_the_council(root):
    """Same relay, same print room: letters of a test would be printed and posted."""
    test, production = (_literals(root, overlay) for overlay in ("test", "production"))
    for name in ("SMTP_HOST", "PRINT_ROOM_MAILBOX", "MAIL_FROM", "KAFKA_BOOTSTRAP_SERVERS", "OIDC_ISSUER"):
        assert test[name] != production[name], name


def _literals(root: Path, overlay: str) -> dict[str, str]:
    folder = root / "deploy" / "k8s" / "overlays" / overlay
    document = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    return dict(each.split("=", 1) for each in document["configMapGenerator"][0]["literals"])
