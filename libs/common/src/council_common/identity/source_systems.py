"""Whose a source system is: the callers that may record under its name (docs/decisions/0017-source-systems.md)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from enum import Enum

from council_common.errors import FieldError, Forbidden
from council_common.identity.actor import Actor

VOUCHES = "source-systems:vouch"
"""Of a service that records for somebody whose right to the name it has judged itself."""
FRESH_SECONDS = 5.0
"""How long another process may not have heard of a binding."""


class CallerKind(Enum):
    """A system by its client id, or people by their role."""

    CLIENT = "client"
    ROLE = "role"


Caller = tuple[CallerKind, str]


class SourceSystemOfOthers(Forbidden):
    """The source system is bound to other callers: their references are theirs to give."""

    code = "source-system-of-others"


def key_of(system: str) -> str:
    """Under what a name is bound: however it is written, it is one name.

    >>> key_of("ERP") == key_of(" erp")
    True
    """
    return " ".join(system.casefold().split())


def is_one_of(by: Actor, callers: Iterable[Caller]) -> bool:
    """Whether a caller is among those a source system is bound to."""
    own = {(CallerKind.ROLE, role) for role in by.roles}
    return not ({(CallerKind.CLIENT, by.client)} | own).isdisjoint(callers)


def of_others(system: str, *, field: str = "source.system") -> SourceSystemOfOthers:
    """The refusal of a name that is bound to others."""
    expected = "a name of your own, or a binding of this one to your client or role"
    return SourceSystemOfOthers(
        "This source system belongs to other callers: they alone give its references.",
        errors=[FieldError(field, "is bound to other callers", expected)],
        source_system=system,
    )


class Bindings:
    """The bindings as a process last read them: the callers by a system's key; none where all were ended."""

    def __init__(self) -> None:
        self._callers: Mapping[str, frozenset[Caller]] = {}
        self._read_at = float("-inf")

    @property
    def are_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_SECONDS

    def keep(self, callers: Mapping[str, frozenset[Caller]]) -> None:
        self._callers, self._read_at = callers, time.monotonic()

    def forget(self) -> None:
        """They have changed: read them again when they are needed."""
        self._read_at = float("-inf")

    def of(self, system: str) -> frozenset[Caller] | None:
        """Who may use a name; None for one that was never bound."""
        return self._callers.get(key_of(system))
