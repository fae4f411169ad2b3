"""What the claims of a verified token say: who it is and what they may do. What has an unknown form gives no right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from council_common.errors import Unauthenticated
from council_common.fields import PRINTABLE
from council_common.identity.actor import Actor
from council_common.identity.roles import scopes_of

MAX_NAME = 200
_PRINTABLE = re.compile(PRINTABLE)


def actor_of(claims: Mapping[str, Any], audience: str) -> Actor:
    """The caller, as Keycloak (`resource_access`) and Microsoft Entra ID (`roles`) describe them.

    `sub` is another one for each application in Entra ID; `oid` is the person, and nobody may be two persons
    (must_differ_from). Raises Unauthenticated where nobody is named.
    """
    person: Any = claims["oid"] if "oid" in claims else claims.get("sub")
    if not _is_text(person):
        raise Unauthenticated("The token does not name its subject.")
    roles = roles_in(claims, audience)
    named: list[Any] = [claims.get("preferred_username"), claims.get("client_id")]
    name: str = next((each for each in named if _is_text(each)), person)
    scopes = narrowed(scopes_of(roles), claims)
    return Actor(subject=person, name=name, scopes=scopes, roles=roles, client=client_in(claims))


def client_in(claims: Mapping[str, Any]) -> str | None:
    """The client id of a system that signed in by its secret; None for a person, in whose token one may stand, too.

    Entra ID marks such a token by `idtyp`, Keycloak by the name of its service account; RFC 9068 §2.2 has the client
    for its subject.
    """
    if claims.get("idtyp") == "app":
        client = claims.get("azp")
    else:
        client = claims.get("client_id")
        if f"service-account-{client}" != claims.get("preferred_username") and client != claims.get("sub"):
            return None
    return client if _is_text(client) else None


def roles_in(claims: Mapping[str, Any], audience: str) -> frozenset[str]:
    """The roles of a token, each a list of names; what has another form names none."""
    client: Any = claims.get("resource_access")
    for key in (audience, "roles"):
        client = client.get(key) if isinstance(client, Mapping) else None
    return frozenset(_names(client) or ()) | frozenset(_names(claims.get("roles")) or ())


def narrowed(given: frozenset[str], claims: Mapping[str, Any]) -> frozenset[str]:
    """What is left of the rights that roles give once the *application* that calls is looked at.

    Scopes (`scope`, RFC 9068 §2.2.3.1; Entra's `scp`; a text with spaces or a list) say what it may do for people: they
    narrow and never give. A token that names one of our form (`noun:verb`) has only those it names, known to us or not.
    One that names none is not narrowed: providers send `openid profile` with every token. A claim that is neither
    text nor a list of texts leaves nothing.

    >>> both = frozenset({"invoices:read", "invoices:write"})
    >>> sorted(narrowed(both, {"scope": "openid profile"}))
    ['invoices:read', 'invoices:write']
    >>> sorted(narrowed(both, {"scope": ["openid", "invoices:read", "refunds:approve"]}))
    ['invoices:read']
    >>> sorted(narrowed(both, {"scp": "refunds:approve"})), sorted(narrowed(both, {"scp": 7}))
    ([], [])
    """
    named: set[str] = set()
    for claim in ("scope", "scp"):
        value = claims.get(claim, "")
        names = value.split() if isinstance(value, str) else _names(value)
        if names is None:
            return frozenset()
        named |= {name for text in names for name in text.split()}
    return given & named if any(map(_has_our_form, named)) else given


def _has_our_form(scope: str) -> bool:
    """Whether a scope is written as ours are, also behind an address: not `openid`, `User.Read` or `urn:zitadel:…`."""
    return ":" in scope.rpartition("/")[2] and not scope.lower().startswith("urn:")


def _names(value: Any) -> list[str] | None:
    """A list of names; None for anything else."""
    return value if isinstance(value, list) and all(isinstance(name, str) for name in value) else None


def _is_text(value: Any) -> TypeGuard[str]:
    """Whether a claim can name somebody, in the database too: words that can be seen, without blanks around them."""
    if not isinstance(value, str) or len(value) > MAX_NAME or value != value.strip() or not value.isprintable():
        return False
    return _PRINTABLE.fullmatch(value) is not None
