"""What passes by itself is tried again; what is wrong is not."""

import asyncio
import socket

import asyncpg
import httpx
import pytest
from council_common.database.transient_faults import is_transient
from council_common.errors import Unavailable
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

Translated = AsyncAdapt_asyncpg_dbapi.OperationalError
PASSING = [
    # What the pool says of a server that is starting up.
    Translated("starting up", asyncpg.CannotConnectNowError("the database system is starting up")),
    ConnectionRefusedError(111, "refused"),
    ConnectionResetError(),
    TimeoutError(),
    socket.gaierror(-3, "Temporary failure in name resolution"),
    OSError("Multiple exceptions: [Errno 111] Connect call failed"),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.DeadlockDetectedError("deadlock detected"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError('cannot switch to state 11; protocol is in the "failed" state'),
    httpx.ConnectTimeout("slow"),
    Unavailable("away"),
    ExceptionGroup("both", [TimeoutError(), ConnectionResetError()]),
]
WRONG = [
    Translated("no such role", asyncpg.InvalidAuthorizationSpecificationError("role does not exist")),
    FileNotFoundError(2, "No such file", "/etc/template.txt"),
    PermissionError(13, "Permission denied", "/var/data"),
    asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
    asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
    asyncpg.UniqueViolationError("duplicate key"),
    ValueError("no"),
    ExceptionGroup("one of them", [TimeoutError(), ValueError()]),
]


@pytest.mark.parametrize("fault", PASSING, ids=repr)
def test_passing(fault: BaseException) -> None:
    assert is_transient(fault)


@pytest.mark.parametrize("fault", WRONG, ids=repr)
def test_wrong(fault: BaseException) -> None:
    assert not is_transient(fault)


async def test_a_port_without_a_listener_passes() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(OSError) as raised:
        await asyncpg.connect(host="localhost", port=port, user="nobody", database="none", timeout=5)
    assert is_transient(raised.value)


async def test_an_unknown_host_name_passes() -> None:
    with pytest.raises(OSError) as raised:
        await asyncio.get_running_loop().getaddrinfo("no-such-host.invalid", 5432)
    assert is_transient(raised.value)
