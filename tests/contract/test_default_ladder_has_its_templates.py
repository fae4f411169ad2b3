"""The ladder debt-service begins with names templates; notification-service begins with them."""

import asyncio
import json
from typing import Any

import asyncpg
from council_common.database.migrations import migrate
from council_local.scratch import ScratchDatabases
from debt_service.main import SERVICE as DEBT
from notification_service.main import SERVICE as NOTIFICATION


def test_every_level_of_the_default_ladder_has_its_template(databases: ScratchDatabases) -> None:
    debts = databases.fresh(databases.template("debt", lambda url: migrate(DEBT.folder, url)))
    messages = databases.fresh(databases.template("notification", lambda url: migrate(NOTIFICATION.folder, url)))
    ladders = asyncio.run(_column(debts, "SELECT levels FROM dunning_procedure"))
    wanted = {level["template"] for ladder in ladders for level in json.loads(ladder)}
    usable = "SELECT name FROM message_template WHERE written_for = 'dunning_notice' AND in_use IS NOT NULL"
    there = set(asyncio.run(_column(messages, usable)))
    assert wanted
    assert wanted <= there


async def _column(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(statement)
    await connection.close()
    return [row[0] for row in rows]
