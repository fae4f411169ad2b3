"""What a child process answers, read without running anything of it: values and errors, nothing else.

The child works on what strangers sent, and pickle names the functions that build a value: a child that was taken over
could have its parent run any. Source: the warning of the standard library's page on pickle.
"""

from __future__ import annotations

import builtins
import datetime
import decimal
import io
import pickle
import uuid
from collections.abc import Collection
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from asyncpg.pgproto import pgproto

_VALUES = {
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("datetime", "date"): datetime.date,
    ("datetime", "datetime"): datetime.datetime,
    ("decimal", "Decimal"): decimal.Decimal,
    ("uuid", "UUID"): uuid.UUID,
    ("asyncpg.pgproto.pgproto", "UUID"): pgproto.UUID,
    ("uuid", "SafeUUID"): uuid.SafeUUID,
}


class NotAnAnswer(pickle.UnpicklingError):
    """The bytes name something that is no value and no error of the packages that may answer."""


def read_answer(content: bytes, packages: Collection[str]) -> Any:
    """The value that a child sent: of plain types, and of dataclasses, named tuples, enums and errors in `packages`.

    Raises NotAnAnswer, and what pickle raises for bytes that are none of its own.
    """
    return _AnswerReader(io.BytesIO(content), packages).load()


class _AnswerReader(pickle.Unpickler):
    def __init__(self, content: io.BytesIO, packages: Collection[str]) -> None:
        super().__init__(content)
        self._packages = packages

    def find_class(self, module: str, name: str) -> Any:
        """The class of a value; called once for each in an answer."""
        if (value := _VALUES.get((module, name))) is not None:
            return value
        if "." not in name:
            if module == "builtins":
                found = getattr(builtins, name, None)
                if isinstance(found, type) and issubclass(found, Exception):
                    return found
            elif any(module == package or module.startswith(f"{package}.") for package in self._packages):
                found = getattr(import_module(module), name, None)
                if isinstance(found, type) and found.__module__ == module and _is_value(found):
                    return found
        raise NotAnAnswer(f"{module}.{name} is no answer")


def _is_value(found: type) -> bool:
    named_tuple = issubclass(found, tuple) and hasattr(found, "_fields")
    return named_tuple or is_dataclass(found) or issubclass(found, Enum | Exception)
