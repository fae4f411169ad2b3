"""Messages logged = messages at the mail sink; the refused ones are explained."""

from __future__ import annotations

from collections import Counter

import httpx

from demo.council_api import Council, until
from demo.proofs.proof import Proof

UNDER_WAY = ("queued", "sending", "sent")
# The sink refuses mailboxes of bounce.example with 550; the log names that so.
REFUSED_BY_SERVER = "address_refused"


async def totals_by(council: Council, *names: str) -> Counter[tuple[str, ...]]:
    """How many messages there are, by the named columns (template, channel, status)."""
    answer = await council.auditor.get("/v1/messages/totals")
    found: Counter[tuple[str, ...]] = Counter()
    for item in answer["items"]:
        found[tuple(item[name] for name in names)] += item["count"]
    return found


async def until_sent(council: Council, *, seconds: float = 120.0) -> None:
    """Return when no message is under way."""

    async def all_rest() -> bool:
        by_status = await totals_by(council, "status")
        return not any(by_status[status,] for status in UNDER_WAY)

    await until(all_rest, what="messages to be delivered", seconds=seconds, every=0.25)


async def prove_messages(council: Council) -> list[Proof]:
    """The log against the sink, the failures against their reason, the letters against debt-service's runs."""
    by_status = await totals_by(council, "status")
    by_template = await totals_by(council, "template")
    # The sink stands outside the gateway: it is where the mail server of the town would be.
    async with httpx.AsyncClient(base_url=council.platform.mail_url, trust_env=False) as sink:
        kept = (await sink.get("/counts")).raise_for_status().json()
    refused = [
        one async for one in council.auditor.items("/v1/messages", status="failed") if one["code"] == REFUSED_BY_SERVER
    ]
    runs = [run async for run in council.auditor.items("/v1/dunning-runs", status="issued")]
    issued = sum(run["outcome"]["issued"] for run in runs)
    dunning = sum(by_template[template,] for template in await _dunning_templates(council))
    return [
        Proof("messages delivered by the log = different messages at the sink",
              by_status["delivered",], kept["distinct_message_ids"]),
        Proof("messages failed, all refused by the recipient's server", by_status["failed",], len(refused)),
        Proof("messages still under way", sum(by_status[status,] for status in UNDER_WAY), 0),
        Proof("dunning notices issued = messages written for them", issued, dunning),
    ]  # fmt: skip


async def _dunning_templates(council: Council) -> set[str]:
    procedures = [one async for one in council.auditor.items("/v1/dunning-procedures")]
    return {level["template"] for one in procedures for level in one["levels"]}
