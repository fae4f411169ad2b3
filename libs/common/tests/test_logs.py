import io
import json
from contextlib import redirect_stderr

import pytest
import structlog
from council_common.observability.logs import configure_logs, get_logger
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


async def test_a_database_error_is_told_withtext_the_row_it_names(things: Things) -> None:
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
