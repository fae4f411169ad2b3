"""An act in two statements, neither in a transaction: what it decides by is read, what it decides is written.

Fit for an act that reads one aggregate and writes it: the write says which version was read, and undoes itself where
another request was quicker, or answered the same key. Whatever does not fit is taken care of in a transaction instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine

from council_common.database.row_writes import Rows, RowWrite, one_statement
from council_common.database.rows import must_be_recorded
from council_common.database.sessions import autocommitting
from council_common.database.transient_faults import DRIVER_FAULTS


class NeedsTransaction(Exception):
    """The act does not fit into one read and one write, or another request was quicker: do it in a transaction."""


class AtOnce:
    """Stands for a session in the use case of such an act: one read by `fetch_row`, one `record`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.info: dict[Any, Any] = {}
        self._has_read = False
        self._writes: Sequence[RowWrite] = ()
        self._additions: Sequence[Rows] = ()

    async def fetch_row(self, statement: str, parameters: Sequence[Any]) -> Mapping[str, Any] | None:
        """The first row of a driver statement that commits by itself."""
        if self._has_read:
            raise NeedsTransaction
        self._has_read = True
        try:
            async with autocommitting(self._engine) as connection:
                row: Mapping[str, Any] | None = await connection.fetchrow(statement, *parameters)
                return row
        except DRIVER_FAULTS as fault:
            # A session deals with it better: of a pool whose connections are gone it drops all, and says 503 once.
            raise NeedsTransaction from fault

    def keep(self, writes: Sequence[RowWrite], additions: Sequence[Rows]) -> None:
        """Keep what is to be written until the answer is known."""
        if self._writes or any(write.version is None and not write.is_new for write in writes):
            raise NeedsTransaction
        self._writes, self._additions = writes, additions

    async def write(self, answer: Rows | None) -> None:
        """Write what was kept, with the answer under its key; all of it or nothing.

        Raises NeedsTransaction, and ChangeNotRecorded.
        """
        must_be_recorded(self.info, {id(write.row): write.values for write in self._writes})
        if not self._writes:
            if answer is not None:  # its key has to be kept, or looked up
                raise NeedsTransaction
            return
        statement, parameters = one_statement(self._writes, self._additions, claim=answer, or_nothing=True)
        try:
            async with autocommitting(self._engine) as connection:
                await connection.fetchval(statement, *parameters)
        except DRIVER_FAULTS as fault:
            raise NeedsTransaction from fault

    def __getattr__(self, _: str) -> NoReturn:
        raise NeedsTransaction
