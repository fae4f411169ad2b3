"""One data folder, one supervisor: who holds it, and what a killed one left behind."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from typing import IO

import psutil

from council_local.child import end_leftover, recorded_process, write_record
from council_local.folders import Folders
from council_local.keys import SERVICES

SUPERVISOR = "supervisor"
# Group after group, the parts of a group side by side: none loses the database while it still writes.
ENDING_ORDER = (("gateway",), SERVICES, ("mail-sink", "issuer"), ("kafka",), ("postgres",))
STOP_PATIENCE_SECONDS = 60.0


class AlreadyRunningError(RuntimeError):
    """Another supervisor works in this data folder."""


class Claim:
    """Held while a supervisor works; the kernel lets go of it even after kill -9."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._file: IO[str] | None = None

    def take(self) -> None:
        file = self._folders.lock.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            file.close()
            raise AlreadyRunningError(
                f"The platform already runs in {self._folders.root}. End it with `make stop`, or run another one "
                "beside it: COUNCIL_DATA=/some/folder COUNCIL_PORT_BASE=9000 make run"
            ) from busy
        self._file = file
        write_record(self._folders.pid(SUPERVISOR), os.getpid())

    def let_go(self) -> None:
        if self._file is not None:
            self._folders.pid(SUPERVISOR).unlink(missing_ok=True)
            self._file.close()
            self._file = None


def end_leftovers(folders: Folders) -> list[str]:
    """End what a killed supervisor left running, recognised by process id and birth; return the names."""
    ended = []
    for name in (name for group in ENDING_ORDER for name in group):
        number = signal.SIGINT if name == "postgres" else signal.SIGTERM
        if end_leftover(folders.pid(name), stop_signal=number):
            ended.append(name)
    return ended


class SupervisorStaysError(RuntimeError):
    """The supervisor was asked to end and has not."""


def stop_supervisor(folders: Folders, *, patience: float = STOP_PATIENCE_SECONDS) -> bool:
    """Ask the running supervisor to end everything and wait; true when there was one.

    Raises SupervisorStaysError when it still runs after `patience` seconds.
    """
    process = recorded_process(folders.pid(SUPERVISOR))
    if process is None:
        return False
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(patience)
        except psutil.TimeoutExpired as late:
            raise SupervisorStaysError(
                f"The platform still runs after {patience:.0f} s (process {process.pid}); the logs of its parts are in "
                f"{folders.logs}. Try again, or end it: kill -9 {process.pid}, then `make stop`."
            ) from late
    return True
