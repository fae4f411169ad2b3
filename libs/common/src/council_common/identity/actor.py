"""A person or a system that does something, as its token proved it."""

from __future__ import annotations

from dataclasses import dataclass

from council_common.errors import ApprovesOwnRequest


@dataclass(frozen=True)
class Actor:
    """Who acts. `subject` is what is compared and published; `name` is only shown in history.

    `client` is the client id of a system that signed in by itself; a person has none, whatever she uses.
    """

    subject: str
    name: str
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    client: str | None = None

    def must_differ_from(self, *others: str | None, what: str) -> None:
        """Raise ApprovesOwnRequest when this actor is one of the subjects that asked or took part before."""
        if self.subject in others:
            raise ApprovesOwnRequest(f"{what} must be done by someone else than those who took part before.")


SYSTEM = Actor(subject="system", name="system")
"""The platform itself: jobs and handlers act under this name unless an event says who began it."""
