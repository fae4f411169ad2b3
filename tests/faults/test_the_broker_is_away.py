"""The broker is away for a while: commands go on, through the gateway too, and their events are sent afterwards."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from council import Council, a_supplier, until
from council_local.folders import Folders
from council_local.platform import Platform
from council_local.ports import Ports
from council_local.scratch import scratch_folder

# Two failed checks take a service out of the gateway's choice.
CHECKS = 3


@pytest.fixture
async def council() -> AsyncIterator[Council]:
    """One service behind the gateway is enough."""
    with scratch_folder("no-broker") as folder:
        async with Platform(Folders(folder), Ports.free(), environment={}, services=("supplier",)) as platform:
            people = Council(platform)
            yield people
            await people.close()


async def test_commands_go_on_while_the_broker_is_away(council: Council) -> None:
    platform = council.platform
    supplier = await a_supplier(council)
    platform.kill("kafka", revive=False)

    async with httpx.AsyncClient() as client:

        async def knows_it() -> bool:
            answer = await client.get(f"{platform.service_url('supplier')}/health/ready")
            return answer.status_code == 503 and answer.json() == {"database": "ready", "broker": "away"}

        async def checks() -> int:
            port = platform.around.ports.gateway_admin
            stats = await client.get(
                f"http://127.0.0.1:{port}/stats", params={"filter": "cluster.supplier.health_check.attempt"}
            )
            return int(stats.text.split(":")[1])

        await until(knows_it)
        before = await checks()
        while await checks() < before + CHECKS:
            await asyncio.sleep(0.2)

    await a_supplier(council)  # asserts 201
    read = await council.as_("auditor").get(f"/v1/suppliers/{supplier['id']}")
    assert read.status_code == 200
    assert await _waiting(council) > 0

    await platform.restart("kafka")

    async def sent() -> bool:
        return await _waiting(council) == 0

    await until(sent)


async def _waiting(council: Council) -> int:
    connection = await asyncpg.connect(council.platform.database_url("supplier"))
    waiting: int = await connection.fetchval("SELECT count(*) FROM outbox")
    await connection.close()
    return waiting
