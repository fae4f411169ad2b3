"""Tokens of the local issuer with the claims of Keycloak's: nothing downstream knows the difference."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from council_local.keys import ALGORITHM, MACHINES, MachineClient, SigningKey, machine_clients, signing_key

AUDIENCE = "council-payments"
STAFF_CLIENT = "council-payments-staff"
# Stable for ever: history rows name people by it.
SUBJECTS = uuid.UUID("5b1d3a2e-6a51-4d7e-9d0e-3f4b8a0c7c11")
MACHINE_SECONDS = 300


class UnknownRoleError(ValueError):
    """A role that is not defined: a token with it would have no rights and fail far from here."""


@dataclass(frozen=True)
class Tokens:
    """Makes tokens with the platform's own key; works whether or not the platform runs."""

    issuer: str
    key: SigningKey

    @classmethod
    def of(cls, keys: Path, issuer: str) -> Tokens:
        return cls(issuer, signing_key(keys))

    def for_person(
        self, roles: str, *, name: str | None = None, hours: float = 8, claims: dict[str, Any] | None = None
    ) -> str:
        """A colleague's token, of one role or several (`payments_assistant debt_recovery_officer`, or by commas).

        Two names of one role are two people, one name is always one person. Without a name the role of a system
        (`erp`) makes that system's token: what it records under its name is its own. Raises UnknownRoleError.
        """
        held = roles_of(roles)
        refuse_unknown_roles(held)
        if not name and MACHINES.get(held[0]) == held:
            return self.for_machine(MachineClient(held[0], "", tuple(held)), seconds=hours * 3600)
        username = name or "+".join(held)
        person = {
            "sub": subject_of(username),
            "azp": STAFF_CLIENT,
            "preferred_username": username,
            "name": username,
            **(claims or {}),
        }
        return self._sign(person, held, seconds=hours * 3600)

    def for_machine(self, client: MachineClient, *, seconds: float = MACHINE_SECONDS) -> str:
        """A system's token: only such a one has a `client_id`."""
        username = f"service-account-{client.client_id}"
        machine = {
            "sub": subject_of(username),
            "azp": client.client_id,
            "client_id": client.client_id,
            "preferred_username": username,
        }
        return self._sign(machine, client.roles, seconds=seconds)

    def _sign(self, claims: dict[str, Any], roles: Iterable[str], *, seconds: float) -> str:
        now = int(time.time())
        payload = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "typ": "Bearer",
            "iat": now,
            "exp": int(now + seconds),
            "jti": str(uuid.uuid4()),
            "scope": "openid profile",
            "resource_access": {AUDIENCE: {"roles": list(roles)}},
            **claims,
        }
        return jwt.encode(payload, self.key.private, algorithm=ALGORITHM, headers={"kid": self.key.key_id})


def roles_of(text: str) -> list[str]:
    """The roles that somebody named, each once.

    >>> roles_of("auditor, ap_manager auditor")
    ['auditor', 'ap_manager']
    """
    return list(dict.fromkeys(text.replace(",", " ").split()))


def subject_of(username: str) -> str:
    """The person's id, always the same for the same name.

    >>> subject_of("a.jones") == subject_of("a.jones") != subject_of("b.jones")
    True
    """
    return str(uuid.uuid5(SUBJECTS, username))


def refuse_unknown_roles(roles: Iterable[str]) -> None:
    """Raise UnknownRoleError where a role is not defined, or none is named."""
    from council_common.identity.roles import ROLES

    named = list(roles)
    unknown = [role for role in named if role not in ROLES]
    if unknown or not named:
        wrong = f"no such role: {', '.join(unknown)}" if unknown else "no role is named"
        raise UnknownRoleError(f"{wrong}. The roles are: {', '.join(ROLES)}")


def secret_of(keys: Path, client_id: str) -> str:
    """What a service signs in with."""
    return machine_clients(keys)[client_id].secret
