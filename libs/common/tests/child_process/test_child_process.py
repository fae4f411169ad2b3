"""A child process answers, asks back, fails and ends without harm to its parent, and never outlives it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto
from council_common.imports import Problem
from council_common.runtime.child_answers import NotAnAnswer, read_answer
from council_common.runtime.child_process import ChildEnded, ChildProcess

TRICKS = "child_tricks"
FOLDER = Path(__file__).parent


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChildProcess]:
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    child = ChildProcess(TRICKS, answer_seconds=20, mebibytes=512)
    yield child
    child.end()


def test_it_answers_and_asks_back(child: ChildProcess) -> None:
    assert child.ask(("double", 21)) == 42
    assert child.ask(("sum of what you give", 4), lambda number: 10 * number) == 60


def test_its_error_is_raised_here_and_it_goes_on(child: ChildProcess) -> None:
    with pytest.raises(LookupError, match="no such thing") as caught:
        child.ask(("fail", "no such thing"))
    assert "child_tricks.py" in "".join(caught.value.__notes__)
    first = child.pid
    assert child.ask(("double", 1)) == 2
    assert child.pid == first


def test_what_it_asked_for_and_could_not_be_given_is_raised_and_ends_it(child: ChildProcess) -> None:
    def give(_: int) -> int:
        raise ConnectionError("the database is away")

    with pytest.raises(ConnectionError, match="the database is away"):
        child.ask(("sum of what you give", 1), give)
    assert not child.is_running
    assert child.ask(("double", 1)) == 2


def test_one_that_dies_is_noticed_and_another_takes_its_place(child: ChildProcess) -> None:
    with pytest.raises(ChildEnded):
        child.ask(("die", 9))
    assert child.ask(("double", 2)) == 4


def test_one_that_was_killed_while_nobody_asked_is_replaced(child: ChildProcess) -> None:
    child.ask(("double", 1))
    assert child.pid is not None
    os.kill(child.pid, 9)
    with pytest.raises(ChildEnded):
        child.ask(("double", 2))
    assert child.ask(("double", 2)) == 4


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(FOLDER))
    child = ChildProcess(TRICKS, answer_seconds=0.2, mebibytes=512)
    with pytest.raises(ChildEnded, match="no answer"):
        child.ask(("sleep", 60))
    assert not child.is_running


def test_nothing_of_an_answer_is_run(child: ChildProcess, tmp_path: Path) -> None:
    """Pickle names the functions that build a value: one that was taken over could have its parent run any."""
    with pytest.raises(ChildEnded, match="nobody can read"):
        child.ask(("something to run", str(tmp_path / "made")))
    assert not (tmp_path / "made").exists()
    assert not child.is_running
    assert child.ask(("double", 2)) == 4


@pytest.mark.parametrize(
    "value",
    [
        *(os.system, eval, getattr, len, "text".join),
        *(Path("a"), ChildProcess, SystemExit(), ChildEnded("of a package that does not answer")),
    ],
    ids=("command", "eval", "getattr", "length", "method", "path", "class", "exit", "error"),
)
def test_an_answer_holds_values_and_nothing_else(value: object) -> None:
    with pytest.raises(NotAnAnswer):
        read_answer(pickle.dumps(value), ("child_tricks",))


def test_an_answer_keeps_its_values() -> None:
    problem = Problem("net", "missing", "is missing", "an amount")
    value = (
        problem,
        [
            date(2026, 3, 11),
            UUID(int=7),
            pgproto.UUID(UUID(int=7).bytes),
            Decimal("1.20"),
            None,
            {"a": (1, b"b", "c", 1.5, True)},
        ],
    )
    assert read_answer(pickle.dumps(value), ("council_common.imports",)) == value


def test_the_error_of_a_library_comes_by_its_text(child: ChildProcess) -> None:
    with pytest.raises(RuntimeError, match="JSONDecodeError"):
        child.ask(("a library's error", "no JSON"))


def test_it_takes_no_more_memory_than_it_may(child: ChildProcess) -> None:
    assert child.ask(("take memory", 10_000_000)) == 10_000_000
    with pytest.raises(MemoryError):
        child.ask(("take memory", 1_000_000_000))


def test_it_is_given_none_of_our_secrets(child: ChildProcess) -> None:
    environment = child.ask(("environment", None))
    assert "PATH" in environment
    assert "DATABASE_URL" not in environment


def test_requests_of_several_threads_do_not_mix(child: ChildProcess) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda number: child.ask(("double", number)), range(200))) == list(range(0, 400, 2))


def test_it_is_ended_only_when_it_was_not_used_for_a_while(child: ChildProcess) -> None:
    child.ask(("double", 1))
    child.end(unused_for=60)
    assert child.is_running
    child.end(unused_for=0)
    assert not child.is_running


def test_ending_does_not_break_into_a_request(child: ChildProcess) -> None:
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(
            child.ask(("sum of what you give", 20), lambda number: time.sleep(0.01) or number)
        )
    )
    asking.start()
    while not child.is_running:
        time.sleep(0.001)
    child.end()
    asking.join()
    assert answers == [190]


def test_it_ends_with_a_parent_that_was_killed() -> None:
    code = (
        "import os, time\n"
        "from council_common.runtime.child_process import ChildProcess\n"
        f"child = ChildProcess({TRICKS!r}, answer_seconds=20, mebibytes=512)\n"
        "child.ask(('double', 1))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(FOLDER)}
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    ended_by = time.monotonic() + 20
    while _is_running(pid):
        assert time.monotonic() < ended_by, "the child outlives its parent"
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    """Whether it runs: one that has ended and waits for the system to forget it does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
