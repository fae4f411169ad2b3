import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest
import structlog
from council_common.errors import Conflict
from council_common.observability.logs import configure_logs, get_logger
from council_common.observability.safe_text import safe_text, safe_traceback
from council_common.observability.traces import span
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from things_service import Things, thing


def test_logs_are_json_facts_and_withhold_what_they_must() -> None:
    out = io.StringIO()
    with redirect_stderr(out):
        configure_logs("invoice-service")
        get_logger().info("invoice_approved", invoice_id="1", amount_pence=5, sort_code="200000", email="a@b.example")
    line = json.loads(out.getvalue())
    assert line["event"] == "invoice_approved"
    assert line["service"] == "invoice-service"
    assert (line["sort_code"], line["email"]) == ("[withheld]", "[withheld]")


def test_a_line_names_the_trace_it_belongs_to() -> None:
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    out = io.StringIO()
    with redirect_stderr(out):
        configure_logs("invoice-service")
        with span("GET", parent=parent):
            get_logger().info("request")
        get_logger().info("outside")
    inside, outside = map(json.loads, out.getvalue().splitlines())
    assert inside["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in outside


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_never_shows_local_variables(format_: str) -> None:
    out = io.StringIO()
    with redirect_stderr(out):
        configure_logs("x", format_=format_)  # type: ignore[arg-type]
        _fail_with_a_secret()
    assert "ZeroDivisionError" in out.getvalue()
    assert "12345678" not in out.getvalue()


def _fail_with_a_secret() -> None:
    account_number = int("1234") * 10000 + 5678
    try:
        account_number / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")


async def test_a_database_error_is_logged_without_the_row_it_names(things: Things) -> None:
    out = io.StringIO()
    with redirect_stderr(out):
        configure_logs("x")
        try:
            async with things.sessions.begin() as session:
                for number in range(2):
                    await session.execute(text("INSERT INTO thing VALUES (:id, '12345678')"), {"id": thing(number)})
        except DBAPIError:
            structlog.get_logger().exception("failed")
    assert "UniqueViolationError 23505 (uq_thing_name)" in out.getvalue()
    assert "12345678" not in out.getvalue()


ACCOUNT = "12345678"


def _raised(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except BaseException as fault:
        return fault
    raise AssertionError("nothing was raised")


class Letter(BaseModel):
    values: dict[str, int]


def _group() -> None:
    raise ExceptionGroup("both", [_raised(lambda: int(f"{ACCOUNT} Mrs Smith")), _raised(lambda: {}[ACCOUNT])])


@pytest.mark.parametrize(
    ("work", "shown"),
    [
        (lambda: int(f"{ACCOUNT} Mrs Smith"), "ValueError at test_logs.py:"),
        (lambda: {}[ACCOUNT], "KeyError at test_logs.py:"),
        (
            lambda: Letter.model_validate({"values": {f"{ACCOUNT} Smith": "x"}}),
            "ValidationError: values.…: int_parsing",
        ),
        (_group, "ExceptionGroup of ValueError at test_logs.py:"),
    ],
    ids=["value", "key", "field", "group"],
)
def test_what_a_fault_was_given_is_never_shown(work: Callable[[], object], shown: str) -> None:
    fault = _raised(work)
    assert safe_text(fault).startswith(shown)
    whole = safe_traceback((type(fault), fault, fault.__traceback__))
    assert shown in whole
    assert ACCOUNT not in whole
    assert "Smith" not in whole.replace("Mrs Smith", "").replace("} Smith", "")  # this file's own lines


def test_our_own_errors_keep_their_words() -> None:
    assert safe_text(Conflict("The invoice is paid.")) == "Conflict: The invoice is paid."


def test_the_fault_that_ends_a_process_shows_no_values() -> None:
    """Python would print the message, which repeats what was refused."""
    program = (
        "from council_common.observability.logs import configure_logs\n"
        "configure_logs('x')\n"
        "int(''.join(map(str, range(1, 9))))\n"
        "int('sort code ' + ''.join(map(str, range(1, 9))))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert json.loads(ended.stderr)["event"] == "process_failed"
    assert "ValueError" in ended.stderr
    assert ACCOUNT not in ended.stderr


ON_A_FULL_DISK = """
import logging
from council_common.observability.logs import configure_logs, get_logger
from council_common.observability.metrics import LOG_LINES_LOST
configure_logs("invoice-service")
for number in range(3):
    get_logger().info("invoice_approved", number=number)
    logging.getLogger("library").warning("something")
print("went on", LOG_LINES_LOST._value.get() > 0)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_of_the_log_does_not_fail_the_work() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", ON_A_FULL_DISK], stdout=subprocess.PIPE, stderr=full, check=False)
    assert done.stdout.decode().strip() == "went on True"
