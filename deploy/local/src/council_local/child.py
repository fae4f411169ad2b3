"""A child process that never outlives its purpose: recorded, logged, ended with its parent."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from council_local.system_user import run_as

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run, as whom, where its words go and how to ask it to end."""

    name: str
    command: Sequence[str]
    log: Path
    record: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    system_user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


class Child:
    """One running program; starts again after it has ended."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program and write down its process id and birth, so that a later run knows it again."""
        if self.is_alive():
            return
        program = self.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(program.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **program.environment},
                cwd=program.folder,
                # Ctrl-C belongs to the supervisor, which ends the parts in their order.
                start_new_session=True,
                **run_as(program.system_user),
                preexec_fn=_end_with_parent(program.stop_signal),  # noqa: PLW1509
            )
        write_record(program.record, self._process.pid)

    def stop(self, *, timeout: float = 20.0) -> None:
        """Ask it to end, wait, and only then insist."""
        if self._process is not None and self.is_alive():
            with suppress(ProcessLookupError):
                self._process.send_signal(self.program.stop_signal)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self.program.record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it without warning, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def write_record(record: Path, pid: int) -> None:
    """Process id and birth: after a restart of the machine the id alone may belong to another program."""
    record.parent.mkdir(parents=True, exist_ok=True)
    with suppress(psutil.NoSuchProcess):
        record.write_text(json.dumps({"pid": pid, "created": psutil.Process(pid).create_time()}))


def recorded_process(record: Path) -> psutil.Process | None:
    """The process a record speaks of, if it is still that very process."""
    try:
        known = json.loads(record.read_text())
        process = psutil.Process(known["pid"])
        born = process.create_time()
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return process if abs(born - known["created"]) < 1.0 else None


def end_leftover(record: Path, *, stop_signal: signal.Signals = signal.SIGTERM, timeout: float = 20.0) -> bool:
    """End what an earlier supervisor left running; true when there was something."""
    process = recorded_process(record)
    if process is not None:
        end_process(process, stop_signal=stop_signal, timeout=timeout)
    record.unlink(missing_ok=True)
    return process is not None


def end_process(process: psutil.Process, *, stop_signal: signal.Signals, timeout: float) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
        try:
            process.wait(timeout)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)


def rotate_log(log: Path, *, limit: int = LOG_LIMIT_BYTES) -> bool:
    """Keep the last full log beside the present one.

    Copied and cut rather than renamed: the child holds the file open, for appending.
    """
    if not log.exists() or log.stat().st_size < limit:
        return False
    shutil.copyfile(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
    return True


def _end_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """On Linux the kernel sends the child its stop signal when the parent dies, even by kill -9.

    The kernel means the parent *thread*; a child of a passing thread would end with that thread.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    number = int(stop_signal)

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, number)

    return ask_kernel
