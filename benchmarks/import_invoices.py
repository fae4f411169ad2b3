"""Import of a CSV file of invoices against a bare COPY of the very rows it made into a table of the same shape."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
from council_common.database.sessions import make_engine, make_sessions
from council_common.identity.actor import Actor
from invoice_service.intake.invoice_imports.rules import FileFormat, Profile, UnknownSuppliers
from invoice_service.intake.invoice_imports.upload import NewImport, receive_file

from benchmarks.measure import Measured, alternating_figures
from benchmarks.parts import Parts
from benchmarks.processes import peak_mebibytes, service_environment
from benchmarks.suppliers import SYSTEM, fill_suppliers, reference

LINES = 120_000
SMALL = 30_000
SUPPLIERS = 2_000
ONE_BAD_IN = 100
HEADER = "reference,supplier_reference,number,issued_on,received_on,net_pence,vat_pence,gross_pence,department\n"
FIRST_DAY = date(2025, 1, 1)


class Import:
    """Files imported by `python -m invoice_service process-imports`, each into a database of its own."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.url = ""
        self.peak = 0.0

    async def run(self, lines: int) -> float:
        """Lines per second, from the job's start to its end as the service itself writes them down."""
        if self.url:
            self._parts.databases.drop([self.url])
        self.url = self._parts.database("invoice")
        await fill_suppliers(self.url, SUPPLIERS)
        await _upload(self.url, lines)
        environment = service_environment(
            database_url=self.url, bootstrap=self._parts.bootstrap, issuer="http://127.0.0.1:1"
        )
        self.peak = await peak_mebibytes("invoice_service", "process-imports", environment=environment)
        return lines / await self._seconds(lines)

    async def _seconds(self, lines: int) -> float:
        connection = await asyncpg.connect(self.url)
        (row,) = await connection.fetch(
            "SELECT * FROM invoice_import JOIN long_work ON long_work.subject_id = invoice_import.id"
        )
        events = await connection.fetchval("SELECT count(*) FROM outbox")
        await connection.close()
        accepted, refused = row["lines_accepted"], row["lines_refused"]
        if (row["state"], accepted + refused, refused) != ("done", lines, lines // ONE_BAD_IN) or events != accepted:
            raise RuntimeError(f"not imported as it should be: {dict(row)}")
        seconds: timedelta = row["finished_at"] - row["started_at"]
        return seconds.total_seconds()


async def measure(parts: Parts) -> Measured:
    """120,000 lines with one bad in a hundred; the small file shows that work is linear and memory flat."""
    ours = Import(parts)
    small, small_peak = await ours.run(SMALL), ours.peak
    large, large_peak = await ours.run(LINES), ours.peak
    bare = await BareCopy.of(ours.url, parts.database("invoice"))
    measured, bound = await alternating_figures(lambda: ours.run(LINES), bare.run)
    await bare.close()
    return Measured(
        "import of invoices, lines",
        "bare COPY of the same rows",
        measured,
        bound,
        0.35,
        0.40,
        note=f"{SMALL:,} lines: {small:,.0f}/s, peak {small_peak:.0f} MiB; "
        f"{LINES:,} lines: {large:,.0f}/s, peak {large_peak:.0f} MiB",
    )


class BareCopy:
    """COPY of rows in memory into a table with the same columns, constraints and indexes, in one transaction."""

    def __init__(self, connection: asyncpg.Connection[Any], rows: list[Any]) -> None:
        self._connection = connection
        self._rows = rows

    @classmethod
    async def of(cls, imported: str, url: str) -> BareCopy:
        """The rows that an import made; they are copied into another database's table."""
        source = await asyncpg.connect(imported)
        rows = [tuple(row) for row in await source.fetch("SELECT * FROM invoice ORDER BY id")]
        await source.close()
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE copied (LIKE invoice INCLUDING ALL)")
        return cls(connection, rows)

    async def run(self) -> float:
        """Rows per second."""
        await self._connection.execute("TRUNCATE copied")
        began = time.perf_counter()
        await self._connection.copy_records_to_table("copied", records=self._rows)
        return len(self._rows) / (time.perf_counter() - began)

    async def close(self) -> None:
        await self._connection.close()


async def _upload(url: str, lines: int) -> None:
    """As POST /v1/invoice-imports does it."""
    new = NewImport(
        filename="bench.csv",
        format=FileFormat.CSV,
        profile=Profile.INVOICES,
        source_system=SYSTEM,
        supplier_system=SYSTEM,
        unknown_suppliers=UnknownSuppliers.REFUSE,
        mapping=None,
    )
    engine = make_engine(url)
    async with make_sessions(engine).begin() as session:
        by, at = Actor("bench", "bench"), datetime.now(UTC)
        await receive_file(session, new, _file(lines), by=by, at=at, request_key=None)
    await engine.dispose()


async def _file(lines: int) -> AsyncIterator[bytes]:
    """The file, a thousand lines a piece."""
    yield HEADER.encode()
    for first in range(1, lines + 1, 1000):
        yield "".join(_line(number) for number in range(first, min(first + 1000, lines + 1))).encode()


def _line(number: int) -> str:
    """An invoice; every hundredth has a gross amount that does not add up."""
    net = 1_000 + 5 * (number % 100_000)
    gross = net + net // 5 + (number % ONE_BAD_IN == 0)
    day = FIRST_DAY + timedelta(days=number % 365)
    supplier = reference(number % SUPPLIERS)
    return f"R{number:08},{supplier},INV-{number:08},{day},{day},{net},{net // 5},{gross},Highways\n"
