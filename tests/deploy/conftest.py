"""What the tests of the deployment read: the checkout's files, schemas, rendered overlays."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("test", "production")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def schema() -> Any:
    """A vendored JSON Schema by name."""

    def load(name: str) -> dict[str, Any]:
        return json.loads((Path(__file__).parent / "schemas" / f"{name}.json").read_text(encoding="utf-8"))

    return load


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session", params=OVERLAYS)
def rendered(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """An overlay as the cluster would get it; only where kubectl is installed."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        assert not os.environ.get("CI"), (
            "kubectl is not installed, and CI must not leave the rendered manifests untested"
        )
        pytest.skip("kubectl is not installed: only the manifests' sources are checked")
    folder = K8S / "overlays" / request.param
    output = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True).stdout
    return [document for document in yaml.load_all(output, yaml.CSafeLoader) if document]
