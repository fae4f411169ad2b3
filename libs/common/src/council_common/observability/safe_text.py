"""Faults in words that carry no values: messages of databases and validators repeat what they refused."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from council_common.errors import BusinessError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,60}|[0-9]{1,4}")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def safe_text(fault: BaseException) -> str:
    """What went wrong, without the values it went wrong with.

    Only our own errors keep their words. PostgreSQL's messages name the failing row, pydantic's the refused input,
    `int()` and `dict[…]` what they were given, an SMTP server's refusal the address: of those the text has the kind
    and the place, the SQL state and constraint, or the fields.
    """
    kind = type(fault).__name__
    if isinstance(fault, BusinessError):
        return f"{kind}: {fault}"
    database_fault = _database_fault(fault)
    if database_fault is not None:
        constraint = getattr(database_fault, "constraint_name", None)
        return f"{type(database_fault).__name__} {database_fault.sqlstate}" + (f" ({constraint})" if constraint else "")
    errors = getattr(fault, "errors", None)
    if callable(errors):
        fields = "; ".join(f"{_field(error['loc'])}: {error['type']}" for error in errors()[:5])
        return f"{kind}: {fields}"
    if isinstance(fault, BaseExceptionGroup):
        return f"{kind} of {', '.join(safe_text(member) for member in fault.exceptions[:5])}"
    return f"{kind}{_place(fault)}"


def safe_traceback(exc_info: ExcInfo) -> str:
    """The stack of a fault, the chain of its causes and, of a group, the stacks of its members, in safe words."""
    _, fault, stack = exc_info
    lines = traceback.format_tb(stack)
    link: BaseException | None = fault
    words: list[str] = []
    members: list[str] = []
    while link is not None and len(words) < 5:
        words.append(safe_text(link))
        if isinstance(link, BaseExceptionGroup):
            members += [safe_traceback((type(member), member, member.__traceback__)) for member in link.exceptions[:5]]
        link = link.__cause__ or link.__context__
    return "\none of them:\n".join(["".join(lines) + "\nbecause of ".join(words), *members])


def _field(location: Sequence[object]) -> str:
    """Where pydantic found it; a key the sender chose is a value too, and is not repeated unless it looks like none."""
    return ".".join(str(part) if _PLAIN.fullmatch(str(part)) else "…" for part in location)


def _place(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _database_fault(fault: BaseException) -> Any:
    """asyncpg's own error, itself or under SQLAlchemy's two wrappings of it."""
    for candidate in (fault, getattr(fault, "orig", None), getattr(getattr(fault, "orig", None), "__cause__", None)):
        if getattr(candidate, "sqlstate", None) is not None and hasattr(candidate, "constraint_name"):
            return candidate
    orig = getattr(fault, "orig", None)
    return orig if getattr(orig, "sqlstate", None) is not None else None
