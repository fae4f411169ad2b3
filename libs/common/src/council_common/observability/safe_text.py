"""Faults in words that carry no values: messages of databases and validators repeat what they refused."""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def safe_text(fault: BaseException) -> str:
    """What went wrong, without the values it went wrong with.

    PostgreSQL's messages name the failing row, pydantic's the refused input: only state, constraint and field
    names are kept of them.
    """
    database_fault = _database_fault(fault)
    if database_fault is not None:
        constraint = getattr(database_fault, "constraint_name", None)
        return f"{type(database_fault).__name__} {database_fault.sqlstate}" + (f" ({constraint})" if constraint else "")
    errors = getattr(fault, "errors", None)
    if callable(errors):
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in errors()[:5])
        return f"{type(fault).__name__}: {told}"
    return f"{type(fault).__name__}: {fault}"


def safe_traceback(exc_info: ExcInfo) -> str:
    """The stack of a fault and the chain of its causes, in safe words."""
    _, fault, stack = exc_info
    lines = traceback.format_tb(stack)
    link: BaseException | None = fault
    words: list[str] = []
    while link is not None and len(words) < 5:
        words.append(safe_text(link))
        link = link.__cause__ or link.__context__
    return "".join(lines) + "\nbecause of ".join(words)


def _database_fault(fault: BaseException) -> Any:
    """asyncpg's own error, itself or under SQLAlchemy's two wrappings of it."""
    for candidate in (fault, getattr(fault, "orig", None), getattr(getattr(fault, "orig", None), "__cause__", None)):
        if getattr(candidate, "sqlstate", None) is not None and hasattr(candidate, "constraint_name"):
            return candidate
    orig = getattr(fault, "orig", None)
    return orig if getattr(orig, "sqlstate", None) is not None else None
