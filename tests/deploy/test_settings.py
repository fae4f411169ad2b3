"""Every setting of docs/architecture.md is given to the services, in containers and in Kubernetes."""

import importlib
import re

import pytest
import yaml
from council_gateway import TABLE

# Given by the environment's secret store, never by a manifest (deploy/k8s/README.md names the keys).
SECRET = {"DATABASE_URL", "CLIENT_SECRET", "KAFKA_SASL_PASSWORD", "SMTP_PASSWORD"}


def documented(root) -> set[str]:
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("| variable | who |") :].split("\n\n", 1)[0]
    found: set[str] = set()
    for row in table.splitlines()[2:]:
        found |= set(re.findall(r"`([A-Z][A-Z_]+)`", row.split("|")[1]))
    return found | {f"{name.upper()}_SERVICE_URL" for name in TABLE.services}


def test_the_table_is_found(root):
    assert {"DATABASE_URL", "OIDC_ISSUER", "LOG_LEVEL", "DEBT_SERVICE_URL"} <= documented(root)


@pytest.mark.parametrize("service", TABLE.services)
def test_the_table_names_every_setting_of_the_code(root, service):
    settings = importlib.import_module(f"{service}_service.settings").Settings
    assert {name.upper() for name in settings.model_fields} <= documented(root)


@pytest.mark.parametrize("part", ["service", "worker", "migrate"])
def test_containers_get_every_setting(compose, root, part):
    for name in TABLE.services:
        assert documented(root) <= set(compose["services"][f"{name}-{part}"]["environment"])


@pytest.mark.parametrize("overlay", ["test", "production"])
def test_kubernetes_gives_every_setting(root, overlay):
    folder = root / "deploy" / "k8s"
    given = _literals(folder / "overlays" / overlay) | _literals(folder / "services" / "debt")
    assert documented(root) - SECRET <= given
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in SECRET)


def _literals(folder) -> set[str]:
    document = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    return {literal.split("=", 1)[0] for each in document["configMapGenerator"] for literal in each["literals"]}
