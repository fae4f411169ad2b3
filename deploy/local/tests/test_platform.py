"""The supervisor brings everything up, brings back what dies, and leaves nothing behind."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from council_local import envoy
from council_local.folders import CHECKOUT, Folders
from council_local.keys import SERVICES
from council_local.part import PartFailedError
from council_local.platform import Platform
from council_local.ports import Ports
from council_local.scratch import scratch_folder

STAND_IN = Path(__file__).with_name("stand_in_service.py")
pytestmark = pytest.mark.broker


def with_stand_ins(folder: Path) -> dict[str, str]:
    """An environment in which `python -m <name>_service` finds the stand-in."""
    for name in SERVICES:
        package = folder / f"{name}_service"
        package.mkdir(parents=True)
        # A package with this file goes before the real one; without it the real one would be found.
        (package / "__init__.py").touch()
        shutil.copy(STAND_IN, package / "__main__.py")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
async def platform() -> AsyncIterator[Platform]:
    with scratch_folder("platform") as folder:
        environment = with_stand_ins(folder / "stand-ins")
        async with Platform(Folders(folder / "data"), Ports.free(), environment=environment) as running:
            yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: each new session of the same user shuts those to PostgreSQL's user again."""
    with scratch_folder("platform") as made:
        yield made


async def through_the_gateway(platform: Platform, path: str) -> httpx.Response:
    """The first answer that is not a 503: a gateway looks for returned services every two seconds."""
    headers = {"Authorization": f"Bearer {platform.token('payments_assistant')}"}
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=platform.gateway_url) as client:
        while True:
            answer = await client.get(path, headers=headers)
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.2)


async def test_a_request_reaches_its_service_and_that_its_database(platform: Platform) -> None:
    assert (await through_the_gateway(platform, "/v1/suppliers")).text == "supplier"
    assert (await through_the_gateway(platform, "/v1/debit-notes")).text == "rebate"


async def test_without_a_token_the_gateway_says_401(platform: Platform) -> None:
    async with httpx.AsyncClient(base_url=platform.gateway_url) as client:
        answer = await client.get("/v1/suppliers")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("part", ["invoice", "postgres", "kafka", "gateway", "mail-sink", "issuer"])
async def test_what_is_killed_comes_back(platform: Platform, part: str) -> None:
    platform.kill(part)
    await platform.ready(part)
    assert (await through_the_gateway(platform, "/v1/invoices")).text == "invoice"


async def test_what_shall_stay_down_stays_down_until_asked(platform: Platform) -> None:
    platform.kill("debt", revive=False)
    await asyncio.sleep(1.5)
    assert [part.name for part in platform.parts() if not part.is_alive()] == ["debt"]
    await platform.restart("debt")
    assert (await through_the_gateway(platform, "/v1/receivables")).text == "debt"


async def test_envoy_accepts_the_generated_configuration(platform: Platform, tmp_path: Path) -> None:
    envoy.validate(platform.around.folders.gateway / "envoy.json")
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"static_resources": {"listners": []}}))
    with pytest.raises(envoy.ConfigurationRefused, match="listners"):
        envoy.validate(broken)


async def test_a_part_that_fails_is_named_with_the_end_of_its_log(folder: Path) -> None:
    environment = with_stand_ins(folder / "stand-ins")
    broken = folder / "stand-ins" / "debt_service" / "__main__.py"
    broken.write_text("raise SystemExit('the table of fees is missing')")
    platform = Platform(Folders(folder / "data"), Ports.free(), environment=environment)
    with pytest.raises(PartFailedError, match="the table of fees is missing"):
        await platform.start()
    assert not list((folder / "data" / "pids").iterdir())
    assert not platform.parts()


def test_a_killed_supervisor_leaves_nothing_that_hinders_the_next(folder: Path) -> None:
    base = Ports.free().gateway
    environment = with_stand_ins(folder / "stand-ins")
    environment |= {"COUNCIL_DATA": str(folder / "data"), "COUNCIL_PORT_BASE": str(base)}
    command = [sys.executable, "-m", "council_local", "run"]
    for last in (False, True):
        with subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            output = ""
            while "Ctrl-C" not in output:
                line = run.stdout.readline()
                assert line, output
                output += line
            family = psutil.Process(run.pid).children(recursive=True)
            assert len(family) >= 10
            run.terminate() if last else run.kill()
            run.wait(40)
            if last:
                assert run.returncode == 0
                _, alive = psutil.wait_procs(family, timeout=5)
                assert not alive
