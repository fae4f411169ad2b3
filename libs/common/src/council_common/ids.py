"""Ids are UUIDv7, made in the application, so that rows sort by when they were made."""

import hashlib
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A new, time-ordered id (RFC 9562 §5.7)."""
    return UUID(int=uuid_utils.uuid7().int)


def lock_key(name: str) -> int:
    """A stable signed 64-bit number for a name: what PostgreSQL's advisory locks take."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
