"""PostgreSQL ends and comes back while clients post: an invoice is stored once, or its client asked to try again."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.database.migrations import migrate
from council_common.testing.harness import Harness, harness
from council_local.postgres import Postgres
from invoice_service.main import SERVICE
from invoice_service.settings import Settings
from invoice_stories import a_supplier, an_invoice

CLIENTS = 24


@pytest.fixture
def own_database(own_postgres: Postgres) -> Iterator[str]:
    own_postgres.create_databases(["invoice"])
    migrate(SERVICE.folder, own_postgres.url("invoice"))
    yield own_postgres.url("invoice")


async def test_a_client_of_a_restarting_database_is_answered_503_and_tries_again(
    own_postgres: Postgres, own_database: str
) -> None:
    async with harness(SERVICE, Settings, own_database, rolled_back=False) as service:
        await a_supplier(service)
        over, answered = asyncio.Event(), Counter[int]()
        async with asyncio.TaskGroup() as group:
            for client in range(CLIENTS):
                group.create_task(_post_until(service, client, over, answered))
            for end in (own_postgres.stop, own_postgres.kill, own_postgres.stop):
                await asyncio.sleep(0.5)
                await asyncio.to_thread(end)
                await asyncio.sleep(0.3)
                # As its supervisor does; the postmaster refuses connections while it recovers.
                own_postgres.child.start()
                await own_postgres.become_ready()
            await asyncio.sleep(0.5)
            over.set()
        assert set(answered) == {200, 201, 503} or set(answered) == {201, 503}, answered
        stored = answered[200] + answered[201]
        assert len(await service.published(InvoiceReceivedV1)) == stored


async def _post_until(service: Harness, client: int, over: asyncio.Event, answered: Counter[int]) -> None:
    """Post invoice after invoice, each until it is stored; every second one under an Idempotency-Key."""
    number = 0
    async with service.as_("erp") as erp:
        while not over.is_set():
            number += 1
            name = f"{client}-{number}"
            headers = {"idempotency-key": name} if number % 2 else {}
            while True:
                answer = await erp.post("/v1/invoices", json=an_invoice(name), headers=headers)
                answered[answer.status_code] += 1
                if answer.status_code < 300:
                    break
                assert answer.status_code == 503, answer.text
                assert answer.headers["retry-after"] == "5"
                await asyncio.sleep(0.05)
