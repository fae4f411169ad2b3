"""A child is known again by process id and birth, ends with its parent, and its log is cut."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from council_local.child import Child, Program, end_leftover, recorded_process, rotate_log

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def a_program(folder: Path, command: list[str] = SLEEP) -> Program:
    return Program(name="sleeper", command=command, log=folder / "sleeper.log", record=folder / "sleeper.json")


def test_a_leftover_is_recognised_and_ended(tmp_path: Path) -> None:
    child = Child(a_program(tmp_path))
    child.start()
    assert end_leftover(tmp_path / "sleeper.json")
    assert not child.is_alive()
    assert not end_leftover(tmp_path / "sleeper.json")


def test_another_program_with_the_same_process_id_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "other.json"
    record.write_text(json.dumps({"pid": os.getpid(), "created": psutil.Process().create_time() - 3600}))
    assert recorded_process(record) is None
    assert not end_leftover(record)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does this")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent_code = f"""
import sys, time
from pathlib import Path
from council_local.child import Child, Program
folder = Path({str(tmp_path)!r})
Child(Program("sleeper", {SLEEP!r}, folder / "log", folder / "sleeper.json")).start()
print("started", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        sleeper = recorded_process(tmp_path / "sleeper.json")
        assert sleeper is not None
        parent.kill()
        parent.wait()
    sleeper.wait(5)


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = Child(a_program(tmp_path, [sys.executable, "-c", deaf]))
    child.start()
    while "deaf" not in (tmp_path / "sleeper.log").read_text():
        assert child.is_alive()
    child.stop(timeout=0.2)
    assert child.exit_code == -signal.SIGKILL


def test_a_full_log_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        assert rotate_log(log, limit=100)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "part.log.1").stat().st_size == 100
    assert not rotate_log(log, limit=100)
