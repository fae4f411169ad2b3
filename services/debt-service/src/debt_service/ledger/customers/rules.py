"""Kinds of customer and channels, and what a new customer has to be."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from council_common.errors import FieldError, Malformed, NotFound


class CustomerKind(StrEnum):
    """Decides which law applies: the Pre-Action Protocol for Debt Claims protects individuals and sole traders."""

    INDIVIDUAL = "individual"
    SOLE_TRADER = "sole_trader"
    BUSINESS = "business"
    PUBLIC_BODY = "public_body"


class Channel(StrEnum):
    """How a customer is written to."""

    EMAIL = "email"
    LETTER = "letter"


def unknown_customer(field: str) -> NotFound:
    """A request's field names a customer that does not exist."""
    return NotFound.of("customer", errors=[FieldError(field, "is not known here", "a registered customer")])


class NoEmail(Malformed):
    code = "no-email"


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer as a source system sends it."""

    source_system: str
    source_reference: str
    kind: CustomerKind
    name: str
    email: str | None
    address: dict[str, Any] | None
    preferred_channel: Channel
    language: str


def check_channel(channel: Channel, email: str | None) -> None:
    """Raise NoEmail for a customer who prefers e-mail and has no e-mail address."""
    if channel == Channel.EMAIL and email is None:
        raise NoEmail(
            "A customer who prefers e-mail needs an e-mail address.",
            errors=[FieldError("email", "missing", "an address, or preferred_channel letter")],
        )


def usable_channel(wanted: str, preferred: str, *, has_email: bool) -> Channel:
    """The channel a notice goes by: the level's, else the customer's; a letter where there is no e-mail address.

    >>> usable_channel("preferred", "email", has_email=True)
    <Channel.EMAIL: 'email'>
    >>> usable_channel("email", "email", has_email=False)
    <Channel.LETTER: 'letter'>
    """
    channel = Channel(preferred if wanted == "preferred" else wanted)
    return channel if has_email else Channel.LETTER


def unreachable_by(preferred: str, *, has_email: bool, failed: Container[Channel]) -> frozenset[str]:
    """The channels a level may name (`preferred` among them) by which a customer cannot be written to.

    `failed` are the channels whose address turned out to be unusable. `selection.py` restates it in SQL.

    >>> sorted(unreachable_by("email", has_email=True, failed={Channel.EMAIL}))
    ['email', 'preferred']
    """
    wanted = (*Channel, "preferred")
    return frozenset(str(one) for one in wanted if usable_channel(one, preferred, has_email=has_email) in failed)
