"""`make demo` on an empty folder, once more, and after everything was killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from council_local.ports import Ports, is_listening

CHECKOUT = Path(__file__).parents[2]
A_DAY = "2026-03-31"
IN_THE_MIDDLE = "Approvals"

pytestmark = [pytest.mark.platform, pytest.mark.timeout(1_200)]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """A data folder and ports of the test's own."""
    free = next(base for base in range(21_000, 60_000, 200) if _is_free(base))
    return {**os.environ, "COUNCIL_DATA": str(tmp_path / "data"), "COUNCIL_PORT_BASE": str(free), "SERVE": "0"}


def _is_free(base: int) -> bool:
    return not any(is_listening(port) for port in Ports.from_base(base).named().values())


def _start(surroundings: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--no-serve", "--day", A_DAY],
        cwd=CHECKOUT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _whole_run(surroundings: dict[str, str]) -> str:
    process = _start(surroundings)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "All sums hold." in said
    return said


def _events(said: str) -> list[str]:
    """The lines of the table of events: how many of each were ever published."""
    return [line for line in said.splitlines() if ".v1 →" in line]


def test_the_month_holds_and_a_second_run_adds_nothing(surroundings: dict[str, str]) -> None:
    first = _whole_run(surroundings)
    second = _whole_run(surroundings)
    assert _events(first)
    assert _events(second) == _events(first)


def test_killed_in_the_middle_it_goes_on_and_the_sums_hold(surroundings: dict[str, str]) -> None:
    process = _start(surroundings)
    assert process.stdout is not None
    for line in process.stdout:
        if IN_THE_MIDDLE in line:
            break
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 10  # database, broker, issuer, mail sink, five services, gateway
    for each in (psutil.Process(process.pid), *family):  # the supervisor first: it would restart the others
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()
    _whole_run(surroundings)
