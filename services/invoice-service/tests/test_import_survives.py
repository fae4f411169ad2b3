"""Imports that are broken off, raced, or large."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import psutil
import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.identity.actor import Actor
from council_common.long_work.rules import MOST_ATTEMPTS
from council_common.testing.harness import NOW, Harness
from invoice_service.intake.invoice_imports import store
from invoice_service.intake.invoice_imports.file_reading import READER
from invoice_service.register.invoices.receiving import SeenSuppliers, receive_invoice
from invoice_service.register.invoices.schemas import InvoiceIn
from invoice_stories import (
    HEADER,
    SPEND_HEADER,
    a_file,
    a_line,
    a_spend_line,
    a_supplier,
    an_invoice,
    fresh_job,
    history_of,
    imported,
    shown,
    spend,
    stopped,
    uploaded,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from supplier_stand_in import supplier_service

LINES = 12_000  # three batches


async def _count(service: Harness, table: str) -> int:
    async with service.runtime.sessions() as session:
        return int((await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def _run_until_batch(service: Harness, path: str, batches: int) -> None:
    """A worker that is killed: cancelled in the middle of whatever it does once some batches are stored."""
    working = asyncio.create_task(service.run_job(fresh_job()))
    while (await shown(service, path))["lines_read"] < batches * 5_000:
        assert not working.done()
        await asyncio.sleep(0.005)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize("batches", [1, 2])
async def test_a_killed_import_goes_on_exactly_where_it_was(racing_service: Harness, batches: int) -> None:
    await a_supplier(racing_service)
    lines = [a_line(number, net=-1 if number % 1_000 == 0 else 10_000) for number in range(1, LINES + 1)]
    answer = await uploaded(racing_service, a_file(*lines))
    path = answer.headers["location"]
    await _run_until_batch(racing_service, path, batches)
    broken = await shown(racing_service, path)
    assert broken["status"] == "running" and 0 < broken["lines_read"] < LINES
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, path)
    assert (done["status"], done["lines_accepted"], done["lines_refused"]) == ("done", LINES - 12, 12)
    assert (done["net_pence_sum"], done["refused_pence_sum"]) == ((LINES - 12) * 10_000, -12)
    assert await _count(racing_service, "invoice") == LINES - 12
    assert await _count(racing_service, "outbox") == LINES - 12
    assert await _count(racing_service, "refused_line") == 12
    assert await _count(racing_service, "import_chunk") == 0


async def test_equal_lines_are_counted_on_after_a_kill(racing_service: Harness) -> None:
    async with supplier_service(racing_service):
        lines = [a_spend_line(f"T{number % 3_500}") for number in range(LINES)]
        params = spend(unknown_suppliers="register")
        answer = await uploaded(racing_service, a_file(*lines, header=SPEND_HEADER), **params)
        await _run_until_batch(racing_service, answer.headers["location"], 1)
        await racing_service.run_job(fresh_job())
        assert await _count(racing_service, "invoice") == LINES
        again = await imported(racing_service, a_file(*reversed(lines), header=SPEND_HEADER), **params)
    assert (again["lines_accepted"], again["lines_existing"]) == (0, LINES)
    assert await _count(racing_service, "outbox") == LINES
    assert await _count(racing_service, "repeated_line") == 0


async def test_a_cancelled_import_keeps_whole_batches(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    answer = await uploaded(racing_service, a_file(*(a_line(number) for number in range(LINES))))
    path = answer.headers["location"]
    working = asyncio.create_task(racing_service.run_job(fresh_job()))
    while not (await shown(racing_service, path))["lines_read"]:
        await asyncio.sleep(0.005)
    assert (await stopped(racing_service, path)).status_code == 201
    await working
    cancelled = await shown(racing_service, path)
    assert cancelled["status"] == "cancelled"
    assert await _count(racing_service, "invoice") == cancelled["lines_accepted"] < LINES
    assert cancelled["lines_accepted"] % 5_000 == 0


async def test_a_post_in_the_middle_of_a_batch_is_no_trouble(racing_service: Harness) -> None:
    """The same reference comes by HTTP after the batch looked and before it stored."""
    await a_supplier(racing_service)
    answer = await uploaded(racing_service, a_file(a_line(1), a_line(2)))
    posted = InvoiceIn.model_validate(an_invoice("A-9", reference="R1")).new_invoice()
    async with racing_service.runtime.sessions.begin() as session:
        await receive_invoice(session, posted, by=Actor("erp", "erp"), at=NOW, seen=SeenSuppliers())
        working = asyncio.create_task(racing_service.run_job(fresh_job()))
        while not await _waits_for_a_lock(racing_service):
            assert not working.done()
            await asyncio.sleep(0.005)
    await working
    done = await shown(racing_service, answer.headers["location"])
    assert (done["lines_accepted"], done["lines_refused"]) == (1, 1)
    assert len(await racing_service.published(InvoiceReceivedV1)) == 2


async def _waits_for_a_lock(service: Harness) -> bool:
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'"
    )
    async with service.runtime.sessions() as session:
        return bool((await session.execute(text(statement))).scalar_one())


async def _broken(service: Harness, path: str) -> None:
    """A mapping that this version of the service cannot read."""
    await _change(service, f"""UPDATE invoice_import SET mapping = '{{"unknown": "field"}}' WHERE id = '{_id(path)}'""")


async def _change(service: Harness, statement: str) -> None:
    async with service.runtime.sessions.begin() as session:
        await session.execute(text(statement))


def _id(path: str) -> str:
    return path.rpartition("/")[2]


async def test_an_import_that_always_breaks_is_given_up_and_does_not_block_others(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    broken = (await uploaded(racing_service, a_file(a_line(1)), filename="broken.csv")).headers["location"]
    good = await uploaded(racing_service, a_file(a_line(2)), filename="good.csv")
    await _broken(racing_service, broken)
    await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, good.headers["location"]))["status"] == "done"
    failed = await shown(racing_service, broken)
    assert (failed["status"], failed["progress"]["error"]["code"]) == ("failed", "import-broke")
    assert [change["action"] for change in await history_of(racing_service, f"{broken}")] == ["received", "failed"]


async def test_an_import_that_broke_is_resumed_by_a_person(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    path = (await uploaded(racing_service, a_file(a_line(1)))).headers["location"]
    await _broken(racing_service, path)
    await racing_service.run_job(fresh_job())
    failed = await shown(racing_service, path)
    assert (failed["status"], failed["progress"]["can_resume"]) == ("failed", True)
    await _change(racing_service, "UPDATE invoice_import SET mapping = NULL")
    async with racing_service.as_("payments_assistant") as assistant:
        resumed = await assistant.post(f"{path}/resumptions", json={"note": "The service was corrected."})
    assert (resumed.status_code, resumed.json()["status"], resumed.headers["location"]) == (202, "waiting", path)
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, path)
    assert (done["status"], done["lines_accepted"], done["progress"]["error"]) == ("done", 1, None)
    history = [(change["action"], change["reason"]) for change in await history_of(racing_service, path)]
    assert history == [("received", None), ("failed", "import-broke"), ("resumed", None), ("done", None)]
    assert await _count(racing_service, "import_chunk") == 0


async def test_a_short_file_does_not_wait_for_long_ones(
    racing_service: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More files are under way than stay open: each goes on where it was, opened again."""
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)  # one batch a turn
    await a_supplier(racing_service)
    long = [
        (await uploaded(racing_service, a_file(*(a_line(number) for number in range(first, first + 11_000)))))
        for first in (0, 20_000, 40_000, 60_000)
    ]
    job = fresh_job()
    for _ in range(2):
        await job.run(racing_service.runtime)
    short = (await uploaded(racing_service, a_file(a_line(90_000)))).headers["location"]
    turns = 0
    while (await shown(racing_service, short))["status"] != "done":
        await job.run(racing_service.runtime)
        turns += 1
    assert turns <= 12
    assert await _count(racing_service, "long_work WHERE state = 'done'") == 1
    await racing_service.run_job(job)
    for upload in long:
        done = await shown(racing_service, upload.headers["location"])
        assert (done["lines_accepted"], done["lines_read"], done["progress"]["share"]) == (11_000, 11_000, 1.0)


async def test_an_import_that_kills_its_workers_is_given_up(racing_service: Harness) -> None:
    """None of them lives to say so: it is found to have been taken up too often."""
    await a_supplier(racing_service)
    path = (await uploaded(racing_service, a_file(a_line(1)))).headers["location"]
    spent = f"attempts = {MOST_ATTEMPTS}, state = 'running'"
    await _change(racing_service, f"UPDATE long_work SET {spent} WHERE subject_id = '{_id(path)}'")
    await racing_service.run_job(fresh_job())
    failed = await shown(racing_service, path)
    assert (failed["status"], failed["progress"]["error"]["code"], failed["lines_read"]) == (
        "failed",
        "import-broke",
        0,
    )


async def test_a_reader_that_is_killed_costs_nothing_but_its_time(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    path = (await uploaded(racing_service, a_file(*map(a_line, range(LINES))))).headers["location"]
    working = asyncio.create_task(racing_service.run_job(fresh_job()))
    while (await shown(racing_service, path))["lines_read"] < 5_000:
        await asyncio.sleep(0.005)
    assert READER.pid is not None
    psutil.Process(READER.pid).kill()
    await working
    done = await shown(racing_service, path)
    assert (done["status"], done["lines_accepted"]) == ("done", LINES)
    assert await _count(racing_service, "invoice") == LINES


async def test_a_file_that_kills_its_readers_is_given_up(
    racing_service: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (await uploaded(racing_service, a_file(a_line(1)))).headers["location"]
    monkeypatch.setattr(READER, "_mebibytes", 1)  # it cannot even start
    READER.end()
    await racing_service.run_job(fresh_job())
    failed = await shown(racing_service, path)
    assert (failed["status"], failed["progress"]["error"]["code"]) == ("failed", "import-broke")


async def test_a_file_whose_next_piece_cannot_be_fetched_is_not_at_its_end(
    racing_service: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away between two pieces: what was read so far is no whole file."""
    await a_supplier(racing_service)
    lines = 20_000
    path = (await uploaded(racing_service, a_file(*map(a_line, range(lines))))).headers["location"]
    assert await _count(racing_service, "import_chunk") > 1
    read_chunk, faults = store.read_chunk, iter([asyncpg.ConnectionDoesNotExistError("the server went away")])

    async def read_or_fail(session: AsyncSession, import_id: UUID, number: int) -> bytes:
        if number == 1 and (fault := next(faults, None)) is not None:
            raise fault
        return await read_chunk(session, import_id, number)

    monkeypatch.setattr(store, "read_chunk", read_or_fail)
    await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, path))["progress"]["not_before"] is not None
    racing_service.now += timedelta(minutes=1)
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, path)
    assert (done["status"], done["lines_accepted"]) == ("done", lines)


async def test_a_neighbour_that_is_away_does_not_count_as_breaking(racing_service: Harness) -> None:
    path = (await uploaded(racing_service, a_file(a_line(1)))).headers["location"]
    async with supplier_service(racing_service, away=True):
        for waits in (1, 2):
            await racing_service.run_job(fresh_job())
            async with racing_service.runtime.sessions() as session:
                counted = (await session.execute(text("SELECT attempts, waits FROM long_work"))).one()
            assert tuple(counted) == (0, waits)
            assert (await shown(racing_service, path))["progress"]["not_before"] is not None
            racing_service.now += timedelta(minutes=1)
    async with supplier_service(racing_service, known={"S1": "Ardley Paving Ltd"}):
        await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, path))["lines_accepted"] == 1


async def test_an_import_that_waits_for_a_neighbour_lets_the_others_pass(racing_service: Harness) -> None:
    await a_supplier(racing_service, "S2")
    waiting = (await uploaded(racing_service, a_file(a_line(1)), filename="waits.csv")).headers["location"]
    good = (await uploaded(racing_service, a_file(a_line(2, supplier="S2")), filename="good.csv")).headers["location"]
    async with supplier_service(racing_service, away=True):
        await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, good))["status"] == "done"
    assert (await shown(racing_service, waiting))["status"] == "running"


async def test_memory_stays_flat(racing_service: Harness) -> None:
    """100 MB, in five batches: who held the file whole would need as much again on top of a batch."""
    await a_supplier(racing_service)
    long = "x" * 4_000
    header = a_file(header=f"{HEADER},a column of the sender's own")

    async def body() -> AsyncIterator[bytes]:
        yield header
        for first in range(0, 24_000, 240):
            yield "".join(f"{a_line(number)},{long}\r\n" for number in range(first, first + 240)).encode()

    tracemalloc.start()
    try:
        async with racing_service.as_("payments_assistant") as assistant:
            params = {"filename": "large.csv", "source_system": "erp"}
            answer = await assistant.post("/v1/invoice-imports", params=params, content=body())
        assert answer.status_code == 202, answer.text
        assert answer.json()["bytes"] > 90_000_000
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
        tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    before = _resident()
    READER.end()
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, answer.headers["location"])
    assert (done["status"], done["lines_accepted"], done["lines_read"]) == ("done", 24_000, 24_000)
    assert _resident() - before < 100_000_000
    assert READER.pid is not None
    assert _resident(READER.pid) < 150_000_000


def _resident(pid: int | None = None) -> int:
    return int(psutil.Process(pid).memory_info().rss)
