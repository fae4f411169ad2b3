"""Money comes in day by day; every week a dunning run is proposed, looked at, approved by a second officer and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from demo.council_api import Council, Refused, until
from demo.sample_council.facts import SOURCE, Receipt, SampleCouncil
from demo.steps import Steps
from demo.stories.charging import DEBT_TYPE, in_bulk

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Rung:
    """A level of a ladder: so many days overdue, so many days after the last notice."""

    days_overdue: int
    interval_days: int
    template: str
    channel: str = "preferred"


SAMPLE_LADDER = (Rung(7, 0, "reminder"), Rung(21, 14, "final_notice"), Rung(35, 14, "pre_legal_notice", "letter"))


async def set_up_ladder(
    council: Council, rungs: Sequence[Rung], *, name: str, debt_type: str, effective_from: date, source: str
) -> None:
    """Make the procedure for a type of debt, unless it is there."""
    levels = [
        {
            "level": number,
            "days_overdue": rung.days_overdue,
            "interval_days": rung.interval_days,
            "template": rung.template,
            "channel": rung.channel,
        }
        for number, rung in enumerate(rungs, start=1)
    ]
    body = {
        "name": name,
        "debt_type": debt_type,
        "effective_from": effective_from.isoformat(),
        "levels": levels,
        "source": source,
    }
    try:
        await council.receivables.post("/v1/dunning-procedures", body, key=f"ladder-{debt_type}-{effective_from}")
    except Refused as refused:
        if refused.code != "dunning-procedure-exists":
            raise


async def collect(council: Council, sample: SampleCouncil, steps: Steps) -> None:
    """Receipts in the order of their days, and the week's run before the next day's money."""
    await set_up_ladder(
        council,
        SAMPLE_LADDER,
        name="Sundry debts, seven, 21 and 35 days",
        debt_type=DEBT_TYPE,
        effective_from=sample.month.in_force_from,
        source="The council's debt recovery policy",
    )
    by_day = {day: list(found) for day, found in groupby(sample.receipts, key=lambda one: one.received_on)}
    run_days = sample.month.run_days
    days = sorted({*by_day, *run_days})
    with steps.step("Days of receipts and dunning", len(days)) as tick:
        for day in days:
            if day in by_day:
                items = [receipt_payload(one) for one in by_day[day]]
                await in_bulk(council, "receipts", items, key=f"sample-receipts-{day}")
            if day in run_days:
                left_out = sample.debts.left_out_of_first_run if day == run_days[0] else None
                run = await run_dunning(council, day, debt_type=DEBT_TYPE, name="sample", left_out=left_out)
                await until_final(council, run["id"])
            tick()


def receipt_payload(receipt: Receipt, *, system: str = SOURCE) -> dict[str, Any]:
    """A receipt as debt-service takes it: what it is for is found by what the payer wrote."""
    return {
        "source": {"system": system, "reference": receipt.reference},
        "received_on": receipt.received_on.isoformat(),
        "amount_pence": receipt.amount_pence,
        "method": "bacs_credit",
        "payer_reference": receipt.quotes,
    }


async def run_dunning(
    council: Council, as_at: date, *, debt_type: str, name: str, left_out: str | None = None
) -> dict[str, Any]:
    """Propose, look, take one out, approve as a second officer; goes on where an earlier attempt stopped."""
    body = {"as_at": as_at.isoformat(), "debt_type": debt_type}
    proposed = await council.receivables.post("/v1/dunning-runs", body, key=f"{name}-run-{as_at}")
    path = f"/v1/dunning-runs/{proposed['id']}"
    if left_out is not None:
        await _look_through(council, path, left_out)
    # A replayed key shows the run as it was proposed: only the run itself says whether it was approved since.
    try:
        await council.recovery_officer.post(
            f"{path}/approvals", {"issued_on": as_at.isoformat()}, key=f"{name}-approval-{as_at}"
        )
    except Refused as refused:
        if refused.code != "illegal-move":
            raise
    return await _until_issued(council, path)


async def _until_issued(council: Council, path: str) -> dict[str, Any]:
    """The run when its last notice is issued."""
    run: dict[str, Any] = {}

    async def issued() -> bool:
        run.update(await council.receivables.get(path))
        return bool(run["status"] != "issuing")

    await until(issued, what="the notices of a dunning run to be issued", seconds=PATIENCE_SECONDS)
    return run


async def _look_through(council: Council, path: str, left_out: str) -> None:
    """The coordinator reads the proposal and takes out a debt that was promised to be paid."""
    async for item in council.receivables.items(f"{path}/items", state="proposed"):
        if item["number"] == left_out:
            exclusion = {"note": "Promised to pay by the end of the week"}
            item_path = f"{path}/items/{item['receivable_id']}/exclusions"
            try:
                await council.receivables.post(item_path, exclusion, key=f"exclusion-{item['receivable_id']}")
            except Refused as refused:
                if refused.status != 409:
                    raise
            break


async def until_final(council: Council, run_id: str) -> None:
    """Return when every notice of a run was delivered or failed for good: the next level waits for that."""

    async def none_under_way() -> bool:
        for status in ("issued", "sent"):
            page = await council.receivables.get("/v1/dunning-notices", run_id=run_id, delivery_status=status, limit=1)
            if page["items"]:
                return False
        return True

    await until(none_under_way, what="the notices of a dunning run to be delivered", seconds=PATIENCE_SECONDS)
