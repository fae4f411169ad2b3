"""Which faults pass by themselves: the database, the network or another service was away."""

import asyncpg
import httpx
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout

from council_common.errors import Unavailable

DRIVER_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    # SQLAlchemy's word for any of these, where its pool opens a connection that the driver itself then uses.
    EmulatedDBAPIException,
    OSError,
)
"""What a statement of the driver raises where something is wrong with it, its connection or its server."""

_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    # The server has ended the connection, and the driver is told to use it before it has seen its end.
    asyncpg.InternalClientError,
)


def is_transient(fault: BaseException) -> bool:
    """Whether the same work may succeed later without anybody changing anything."""
    if isinstance(fault, ExceptionGroup):
        return all(is_transient(member) for member in fault.exceptions)
    if isinstance(fault, DBAPIError):
        cause = fault.orig.__cause__ if fault.orig is not None else None
        return fault.connection_invalidated or (cause is not None and is_transient(cause))
    if isinstance(fault, EmulatedDBAPIException):
        return is_transient(fault.driver_exception)
    if isinstance(fault, asyncpg.InterfaceError):
        # The driver's word for a connection that is gone, and for calling it wrongly.
        return "closed" in str(fault)
    if isinstance(fault, OSError):
        # The network; a fault of a file names it (or is one that no socket has).
        return fault.filename is None and not isinstance(fault, FileNotFoundError | PermissionError)
    return isinstance(fault, (PoolTimeout, Unavailable, httpx.TransportError, *_PASSING))
