"""Many rows for a reader who may take its time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select, tuple_

from council_common.database.sessions import Sessions

CHUNK = 1000


async def in_chunks(
    sessions: Sessions, statement: Select[Any], *keys: Any, size: int = CHUNK
) -> AsyncIterator[Sequence[Any]]:
    """All rows of a statement, `size` at a time, in order of `keys`: columns it selects, unique together.

    Each chunk begins behind the last row of the one before, and no connection is held between them.
    """
    ordered = statement.order_by(*keys).limit(size)
    following = ordered
    while True:
        async with sessions() as session:
            rows = (await session.execute(following)).all()
        if rows:
            yield rows
        if len(rows) < size:
            return
        following = ordered.where(tuple_(*keys) > tuple(getattr(rows[-1], key.key) for key in keys))
