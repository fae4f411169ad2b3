"""The open items as debts: raised on their day, chased while late, settled by a receipt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from demo.council_api import Council
from demo.real_data.open_items import IN_FORCE_FROM, LADDER_DAYS, OpenItem, days_with_letters
from demo.sample_council.facts import Receipt
from demo.steps import Tick
from demo.stories.charging import in_bulk
from demo.stories.collecting import Rung, receipt_as_told, run_dunning, set_up_ladder, until_final

SYSTEM = "open-items-ar"
DEBT_TYPE = "open_items"
TEMPLATES = ("reminder", "second_reminder", "final_notice", "pre_legal_notice")
# The rungs are seven days apart at least: what was sent a week ago has to be final, yesterday's may be on its way.
FINAL_AFTER = timedelta(days=6)


async def chase(council: Council, items: Sequence[OpenItem], *, tick: Tick) -> None:
    """Each day's charges, each day's money, then the day's run where a debt has reached a rung."""
    rungs = [Rung(days, 0, template) for days, template in zip(LADDER_DAYS, TEMPLATES, strict=True)]
    await set_up_ladder(
        council, rungs, name="Open items, 1, 8, 15, 29 days", debt_type=DEBT_TYPE, effective_from=IN_FORCE_FROM,
        source="The ladder of the replay",
    )  # fmt: skip
    await in_bulk(council, "customers", _customers(items), key=f"{SYSTEM}-customers")
    raised, settled = _by_day(items, "issued_on"), _by_day(items, "settled_on")
    to_run = set(days_with_letters(items))
    on_their_way: deque[tuple[date, str]] = deque()
    for day in sorted({*raised, *settled, *to_run}):
        if day in raised:
            await in_bulk(council, "receivables", [_charge(one) for one in raised[day]], key=f"{SYSTEM}-raised-{day}")
        if day in settled:
            await in_bulk(council, "receipts", [_receipt(one) for one in settled[day]], key=f"{SYSTEM}-paid-{day}")
        while on_their_way and on_their_way[0][0] <= day - FINAL_AFTER:
            await until_final(council, on_their_way.popleft()[1])
        if day in to_run:
            run = await run_dunning(council, day, debt_type=DEBT_TYPE, name=SYSTEM)
            on_their_way.append((day, run["id"]))
        if day in raised or day in settled:
            tick()
    for _, run_id in on_their_way:
        await until_final(council, run_id)


def _by_day(items: Sequence[OpenItem], name: str) -> dict[date, list[OpenItem]]:
    days: dict[date, list[OpenItem]] = {}
    for item in items:
        days.setdefault(getattr(item, name), []).append(item)
    return days


def _customers(items: Sequence[OpenItem]) -> list[dict[str, Any]]:
    """One customer a party; the file has no addresses, so that letters go to an invented one."""
    first = {item.party: item for item in reversed(items)}
    return [
        {
            "source": {"system": SYSTEM, "reference": party},
            "kind": "business",
            "name": f"Customer {party}",
            "email": f"accounts.{number}@open-items.example",
            "address": {"lines": [f"{number} Sample Street", "Sampleton"], "postcode": "TR99 1AB"},
            "preferred_channel": "email" if item.by_email else "letter",
        }
        for number, (party, item) in enumerate(sorted(first.items()), start=1)
    ]


def _charge(item: OpenItem) -> dict[str, Any]:
    line = {"description": "Open item", "net_pence": item.pence, "vat_rate": "0", "vat_pence": 0}
    return {
        "source": {"system": SYSTEM, "reference": item.number},
        "customer": {"system": SYSTEM, "reference": item.party},
        "number": _number(item),
        "department": "corporate",
        "debt_type": DEBT_TYPE,
        "issued_on": item.issued_on.isoformat(),
        "due_on": item.due_on.isoformat(),
        "lines": [line],
        "gross_pence": item.pence,
    }


def _receipt(item: OpenItem) -> dict[str, Any]:
    receipt = Receipt(item.number, item.settled_on, item.pence, _number(item), _number(item))
    return receipt_as_told(receipt, system=SYSTEM)


def _number(item: OpenItem) -> str:
    return f"OI-{item.number}"
