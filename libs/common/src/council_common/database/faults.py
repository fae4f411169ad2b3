"""Which faults pass by themselves: the database, the network or another service was away."""

import asyncpg
import httpx
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from council_common.errors import Unavailable

_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.DiskFullError,
    asyncpg.InterfaceError,
)


def is_transient(fault: BaseException) -> bool:
    """Whether the same work may succeed later without anybody changing anything."""
    if isinstance(fault, ExceptionGroup):
        return all(is_transient(each) for each in fault.exceptions)
    if isinstance(fault, DBAPIError):
        cause = fault.orig.__cause__ if fault.orig is not None else None
        return (
            fault.connection_invalidated
            or isinstance(cause, _PASSING)
            or isinstance(fault, OperationalError | InterfaceError)
        )
    return isinstance(fault, (OSError, TimeoutError, PoolTimeout, Unavailable, httpx.TransportError, *_PASSING))
