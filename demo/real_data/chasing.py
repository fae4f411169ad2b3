"""The open items as debts: raised on their day, chased while late, settled by a receipt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from demo.council_api import Council, until
from demo.real_data.open_items import IN_FORCE_FROM, LADDER_DAYS, LAST_DAY, OpenItem, days_with_letters
from demo.sample_council.facts import Receipt
from demo.steps import Tick
from demo.stories.charging import in_bulk
from demo.stories.collecting import PATIENCE_SECONDS, Rung, receipt_payload, run_dunning, set_up_ladder

SYSTEM = "open-items-ar"
DEBT_TYPE = "open_items"
TEMPLATES = ("reminder", "second_reminder", "final_notice", "pre_legal_notice")
# The rungs are seven days apart at least: what was sent a week ago has to be final, yesterday's may be on its way.
FINAL_AFTER = timedelta(days=6)


async def chase(council: Council, items: Sequence[OpenItem], *, tick: Tick) -> None:
    """The charges and the money of each day, then the day's run where a debt has reached a rung."""
    rungs = [Rung(days, 1, template) for days, template in zip(LADDER_DAYS, TEMPLATES, strict=True)]
    await set_up_ladder(
        council, rungs, name="Open items, 1, 8, 15, 29 days", debt_type=DEBT_TYPE, effective_from=IN_FORCE_FROM,
        source="The ladder of the replay",
    )  # fmt: skip
    await in_bulk(council, "customers", _customers(items), key=f"{SYSTEM}-customers")
    raised = deque(items)
    paid = deque(sorted(items, key=lambda item: (item.settled_on, item.number)))
    unproved: list[date] = []
    for day in [*days_with_letters(items), LAST_DAY]:
        charges = _taken_until(raised, day, lambda item: item.issued_on)
        if charges:
            await in_bulk(council, "receivables", [_charge(one) for one in charges], key=f"{SYSTEM}-raised-{day}")
        receipts = _taken_until(paid, day, lambda item: item.settled_on)
        if receipts:
            await in_bulk(council, "receipts", [_receipt(one) for one in receipts], key=f"{SYSTEM}-paid-{day}")
        if unproved and unproved[0] <= day - FINAL_AFTER:
            await _until_final(council, unproved[-1])
            unproved.clear()
        if day != LAST_DAY:
            await run_dunning(council, day, debt_type=DEBT_TYPE, name=SYSTEM)
            unproved.append(day)
        tick(len(receipts))
    await _until_final(council, LAST_DAY)


def _taken_until(waiting: deque[OpenItem], day: date, on: Callable[[OpenItem], date]) -> list[OpenItem]:
    """What happened since the run before, up to and with this day: nobody looks in between."""
    taken = []
    while waiting and on(waiting[0]) <= day:
        taken.append(waiting.popleft())
    return taken


async def _until_final(council: Council, day: date) -> None:
    """Return when no notice dated until this day is on its way any more."""

    async def none_under_way() -> bool:
        for status in ("issued", "sent"):
            under_way = await council.receivables.get(
                "/v1/dunning-notices", delivery_status=status, issued_to=day.isoformat(), limit=1
            )
            if under_way["items"]:
                return False
        return True

    await until(none_under_way, what="notices to be delivered", seconds=PATIENCE_SECONDS)


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
    return receipt_payload(receipt, system=SYSTEM)


def _number(item: OpenItem) -> str:
    return f"OI-{item.number}"
