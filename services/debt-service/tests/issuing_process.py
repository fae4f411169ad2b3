"""A worker in a process of its own that issues small slices, each a little late: DATABASE_URL NOW."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from council_common.long_work.turns import take_turn
from council_common.runtime.service_runtime import open_runtime
from debt_service.recovery.dunning_runs import issuing
from debt_service.settings import Settings


async def main(url: str, now: str) -> None:
    issuing.SLICE = 3
    issue_slice = issuing.IssueNotices.do_slice

    async def a_little_late(*args: Any, **values: Any) -> Any:
        progress = await issue_slice(*args, **values)
        await asyncio.sleep(0.02)  # killed here, the slice has done all and committed nothing
        return progress

    issuing.IssueNotices.do_slice = a_little_late  # type: ignore[method-assign]
    settings = Settings(
        _env_file=None, database_url=url, kafka_bootstrap_servers="127.0.0.1:1", oidc_issuer="https://issuer"
    )
    clock = datetime.fromisoformat(now).astimezone(UTC)
    async with open_runtime("debt-service", settings) as runtime:
        runtime.clock = lambda: clock
        while await take_turn(issuing.ISSUE_NOTICES, runtime):
            pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
