"""Ids are UUIDv7, made in the application, so that rows sort by when they were made."""

import hashlib
from uuid import UUID

import uuid_utils
from asyncpg.pgproto.pgproto import UUID as DriverUuid  # noqa: N811

# The driver's own class, which every id read from the database has: made and written ten times as fast.
__all__ = ["DriverUuid", "lock_key", "new_id"]


def new_id() -> UUID:
    """A new, time-ordered id (RFC 9562 §5.7)."""
    return DriverUuid(uuid_utils.uuid7().bytes)


def lock_key(name: str) -> int:
    """A stable signed 64-bit number for a name: what PostgreSQL's advisory locks take."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)
