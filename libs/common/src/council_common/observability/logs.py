"""Logs of facts: one JSON object a line (or coloured lines for people), with ids and never a name or account."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog

from council_common.observability.metrics import LOG_LINES_LOST
from council_common.observability.safe_text import safe_traceback
from council_common.observability.traces import current_trace_id

FORBIDDEN_FIELDS = frozenset(
    {"sort_code", "account_number", "iban", "account_name", "name", "supplier_name", "customer_name", "email", "phone",
     "address", "contact", "token", "authorization", "password", "client_secret"}
)  # fmt: skip


def _refuse_forbidden(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field in FORBIDDEN_FIELDS & event.keys():
        event[field] = "[withheld]"
    return event


def _name_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if trace_id := current_trace_id():
        event["trace_id"] = trace_id
    return event


def _render_fault(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Render `exc_info` without local variables and without the values a database's message repeats."""
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if exc_info and exc_info[1] is not None:
        event["exception"] = safe_traceback(exc_info)
    return event


class _LogFile:
    """Where lines go. One that cannot be written is lost and counted: a full disk fails no work that it tells of."""

    def write(self, text: str) -> None:
        self._try(lambda: sys.stderr.write(text))

    def flush(self) -> None:
        self._try(sys.stderr.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (OSError, ValueError):  # ValueError: the other end has closed it
            LOG_LINES_LOST.inc()


def configure_logs(service: str, *, format_: Literal["json", "console"] = "json", level: str = "INFO") -> None:
    """Send our logs and those of the libraries the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _refuse_forbidden,
        _render_fault,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if format_ == "json" else structlog.dev.ConsoleRenderer(colors=True)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _LogFile())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(_LogFile())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "aiokafka", "kafka", "httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sys.excepthook = _log_last_fault


def _log_last_fault(kind: type[BaseException], fault: BaseException, stack: TracebackType | None) -> None:
    """The fault that ends the process, in safe words too: Python itself would print PostgreSQL's whole row."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, fault, stack)
    else:
        get_logger().critical("process_failed", exc_info=(kind, fault, stack))


def get_logger() -> Any:
    """A logger of facts: `log.info("invoice_approved", invoice_id=…, amount_pence=…)`."""
    return structlog.get_logger()
