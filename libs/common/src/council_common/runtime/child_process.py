"""A child process for work on what strangers sent: it has no secret and no connection of ours, and can be ended.

It is a Python of its own, so that its work takes neither this process's event loop nor its interpreter lock; it has a
bound on its memory, and whoever asks bounds the time. It ends with the process that started it.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, Final

from council_common.runtime.child_answers import read_answer

Fetch = Callable[[Any], Any]
"""Asks the other side for something while a request is under way: a piece of a file."""

_ANSWER, _ERROR, _QUESTION = "answer", "error", "question"
_PASSED_ON: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
_END_SECONDS: Final = 5.0


class ChildEnded(Exception):
    """The child died, or was ended because it took too long; what it had in hand is lost."""


class ChildProcess:
    """A child that answers by the `handle(request, fetch)` of a module, started when it is first asked. One at a time.

    `answer_seconds` bounds the time without a word from it, `mebibytes` the memory it may ask for. It answers with
    plain values, and with dataclasses, named tuples and errors of `packages` and of its module's own.
    """

    def __init__(self, module: str, *, answer_seconds: float, mebibytes: int, packages: Collection[str] = ()) -> None:
        self._module = module
        self._packages = (module.rpartition(".")[0] or module, *packages)
        self._answer_seconds = answer_seconds
        self._mebibytes = mebibytes
        self._most_bytes = mebibytes * 1024 * 1024
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._used_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended by us."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        return self._process.pid if self._process is not None else None

    def ask(self, request: Any, give: Fetch | None = None) -> Any:
        """Its answer, or the error that it raised; `give` answers its questions. Blocks: call it in a thread.

        Raises ChildEnded, and what `give` raised.
        """
        with self._lock:
            self._used_at = time.monotonic()
            connection = self._connection or self._start()
            try:
                kind, value = self._exchanged(connection, request)
                while kind == _QUESTION:
                    kind, value = self._exchanged(connection, _given(give, value))
            except BaseException:
                self._end()  # it waits for what nobody will send
                raise
        if kind == _ERROR:
            raise value
        return value

    def end(self, *, unused_for: float = 0.0) -> None:
        """End it, if it was not asked for anything for so many seconds; the next request starts another."""
        with self._lock:
            if time.monotonic() - self._used_at >= unused_for:
                self._end()

    def _exchanged(self, connection: Connection, message: Any) -> tuple[str, Any]:
        """Send it and wait for what comes back."""
        try:
            connection.send(message)
            if not connection.poll(self._answer_seconds):
                raise ChildEnded(f"{self._module} gave no answer in {self._answer_seconds:.0f} seconds")
            content = connection.recv_bytes(self._most_bytes)
        except (EOFError, OSError) as lost:
            raise ChildEnded(f"{self._module} ended before it answered") from lost
        try:
            kind, value = read_answer(content, self._packages)
        except Exception as unreadable:
            raise ChildEnded(f"{self._module} answered what nobody can read") from unreadable
        return kind, value

    def _start(self) -> Connection:
        ours, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._module, str(its.fileno()), str(self._mebibytes)],
                pass_fds=[its.fileno()],
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for its parent, with whom it ends
            )
        self._connection = Connection(ours.detach())
        return self._connection

    def _end(self) -> None:
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.wait(_END_SECONDS)


def _given(give: Fetch | None, question: Any) -> Any:
    if give is None:
        raise TypeError("the child asks, and nobody answers")
    return give(question)


class _ParentGone(BaseException):
    """Nobody waits for the answer any more."""


def _answer_requests(handle: Callable[[Any, Fetch], Any], connection: Connection) -> None:
    """Until the parent is gone. What `handle` raises is raised in the parent; a library's error by its text."""
    ours = {"builtins", "council_common", handle.__module__.partition(".")[0]}

    def sent(message: tuple[str, Any]) -> Any:
        """Send it and wait for what comes back."""
        try:
            connection.send(message)
            return connection.recv()
        except (EOFError, OSError) as gone:
            raise _ParentGone from gone

    def answered(request: Any) -> tuple[str, Any]:
        try:
            return _ANSWER, handle(request, lambda question: sent((_QUESTION, question)))
        except Exception as error:
            known = error if type(error).__module__.partition(".")[0] in ours else RuntimeError(repr(error))
            known.add_note("".join(traceback.format_tb(error.__traceback__)))  # where in the child it happened
            return _ERROR, known

    with suppress(_ParentGone, EOFError, OSError):
        request = connection.recv()
        while True:
            request = sent(answered(request))


def _main(module: str, descriptor: str, mebibytes: str) -> None:
    most = int(mebibytes) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    _answer_requests(import_module(module).handle, Connection(int(descriptor)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
