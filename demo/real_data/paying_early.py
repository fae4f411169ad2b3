"""The open items as suppliers' invoices: received on their day, held while in dispute, paid when they were settled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from demo.council_api import Council, Refused, for_each, until
from demo.real_data.open_items import IN_FORCE_FROM, TERMS, OpenItem
from demo.steps import Tick
from demo.stories.import_files import until_ended

SOURCE_SYSTEM = "open-items-ap"
ARRIVES_AFTER = timedelta(days=2)


async def pay_early(council: Council, items: Sequence[OpenItem], *, tick: Tick) -> None:
    """Week by week, each fact with its own day: a file of what came in, approvals and disputes, then what was paid."""
    suppliers = await _suppliers_in_the_programme(council, items)
    replay = _Replay(council, suppliers)
    await replay.read_what_is_there()
    for week in sorted({_week_of(day) for item in items for day in (item.issued_on, item.settled_on)}):
        received = [item for item in items if _week_of(item.issued_on) == week]
        await replay.receive_all(received, week)
        await for_each(received, replay.judge, tick=_silent)
        paid = [item for item in items if _week_of(item.settled_on) == week]
        await replay.pay_all(paid)
        tick(len(paid))


def _week_of(day: date) -> date:
    """Its Monday."""
    return day - timedelta(days=day.weekday())


async def _suppliers_in_the_programme(council: Council, items: Sequence[OpenItem]) -> dict[str, str]:
    parties = sorted({item.party for item in items})
    body = {"items": [_supplier(party, number) for number, party in enumerate(parties, start=1)]}
    answer = await council.erp.post("/v1/suppliers/bulk", body, key=f"{SOURCE_SYSTEM}-suppliers")
    ids = {parties[item["index"]]: item["id"] for item in answer["items"]}
    await for_each(ids.values(), lambda supplier_id: _agree(council, supplier_id), tick=_silent)

    async def all_in_force() -> bool:
        found = {one["supplier_id"] async for one in council.coordinator.items("/v1/agreements")}
        return set(ids.values()) <= found

    await until(all_in_force, what="rebate-service to know the agreements")
    return ids


def _supplier(party: str, number: int) -> dict[str, Any]:
    """The file has no addresses: remittance advices go to an invented one."""
    contact = {"name": "Accounts", "email": f"remittances.{number}@open-items.example", "purpose": "remittance"}
    return {
        "source": {"system": SOURCE_SYSTEM, "reference": party},
        "name": f"Supplier {party}",
        "contacts": [contact],
    }


async def _agree(council: Council, supplier_id: str) -> None:
    agreed_on = (IN_FORCE_FROM - timedelta(days=14)).isoformat()
    terms = {name: getattr(TERMS, name) for name in TERMS.__slots__}
    wanted = {
        "supplier_id": supplier_id,
        "stage": "agreed",
        "on": agreed_on,
        "terms": {"agreed_on": agreed_on, "effective_from": IN_FORCE_FROM.isoformat(), **terms},
    }
    try:
        await council.coordinator.post("/v1/onboardings", wanted, key=f"{SOURCE_SYSTEM}-onboarding-{supplier_id}")
    except Refused as refused:
        if refused.code != "onboarding-exists":
            raise


class _Replay:
    """Where each invoice stands, so that an earlier run's work is not done again."""

    def __init__(self, council: Council, suppliers: dict[str, str]) -> None:
        self._council = council
        self._suppliers = suppliers
        self._ids: dict[str, str] = {}
        self._status: dict[str, str] = {}

    async def read_what_is_there(self, **received: date) -> None:
        path = "/v1/invoices/export.csv"
        for row in await self._council.auditor.rows(path, source_system=SOURCE_SYSTEM, **received):
            self._ids[row["source_reference"]] = row["id"]
            self._status[row["source_reference"]] = row["status"]

    async def receive_all(self, items: Sequence[OpenItem], week: date) -> None:
        """A week's invoices as one file, unless an earlier run has sent it."""
        if all(item.number in self._ids for item in items):
            return
        sent = await self._council.erp.upload(
            "/v1/invoice-imports",
            "".join(json.dumps(_invoice_payload(item)) + "\n" for item in items).encode(),
            media_type="application/x-ndjson",
            key=f"{SOURCE_SYSTEM}-week-{week}",
            filename=f"open-items-{week}.ndjson",
            source_system=SOURCE_SYSTEM,
        )
        import_ = await until_ended(self._council, sent["id"])
        if import_["lines_accepted"] + import_["lines_existing"] != len(items):
            raise RuntimeError(f"the week of {week}: {import_['lines_refused']} of {len(items)} lines were refused")
        await self.read_what_is_there(received_from=week, received_to=week + timedelta(days=6))

    async def judge(self, item: OpenItem) -> None:
        """Approve it, or hold it while it is in dispute."""
        if self._status[item.number] == "received":
            await (self._dispute(item) if item.disputed else self._approve(item))

    async def _approve(self, item: OpenItem) -> None:
        invoice_id = self._ids[item.number]
        path = f"/v1/invoices/{invoice_id}/approvals"
        await self._council.assistant.post(path, key=f"{SOURCE_SYSTEM}-approval-{invoice_id}")
        self._status[item.number] = "approved"

    async def _dispute(self, item: OpenItem) -> None:
        path = f"/v1/invoices/{self._ids[item.number]}/holds"
        key = f"{SOURCE_SYSTEM}-hold-{item.number}"
        body = {"reason": "dispute", "note": "Disputed in the file"}
        await self._council.assistant.post(path, body, key=key)
        self._status[item.number] = "held"

    async def _settle_dispute(self, item: OpenItem) -> None:
        """The dispute is over on the day the invoice is settled: released, then approved."""
        path = f"/v1/invoices/{self._ids[item.number]}/holds"
        for hold in (await self._council.assistant.get(path))["items"]:
            if hold["released_at"] is None:
                key = f"{SOURCE_SYSTEM}-release-{hold['id']}"
                release = {
                    "reason": "resolved",
                    "note": "Settled in the file",
                    "released_on": item.settled_on.isoformat(),
                }
                await self._council.assistant.post(f"{path}/{hold['id']}/releases", release, key=key)
        await self._approve(item)

    async def pay_all(self, items: Sequence[OpenItem]) -> None:
        """Ask for the week's deductions at once, then pay each."""
        left = [item for item in items if self._status[item.number] != "paid"]
        if not left:
            return
        questions = {"items": [self._question(item) for item in left]}
        verdicts = (await self._council.erp.post("/v1/rebate-quotes/bulk", questions))["items"]
        quotes = [verdict["quote"] for verdict in verdicts]
        await for_each(zip(left, quotes, strict=True), self._pay, tick=_silent)

    async def _pay(self, quoted: tuple[OpenItem, dict[str, Any]]) -> None:
        item, quote = quoted
        if self._status[item.number] != "approved":
            await self._settle_dispute(item)
        body = {
            "invoice_id": self._ids[item.number],
            "source": {"system": SOURCE_SYSTEM, "reference": item.number},
            "remitted_on": item.settled_on.isoformat(),
            "arrives_on": _arrival(item.settled_on).isoformat(),
            "paid_pence": item.pence - quote["deduct_pence"],
            "deducted_pence": quote["deduct_pence"],
            "method": "bacs",
        }
        await self._council.erp.post("/v1/payments", body, key=f"{SOURCE_SYSTEM}-payment-{item.number}")
        self._status[item.number] = "paid"

    def _question(self, item: OpenItem) -> dict[str, Any]:
        return {
            "supplier_id": self._suppliers[item.party],
            "received_on": item.issued_on.isoformat(),
            "remitted_on": item.settled_on.isoformat(),
            "arrives_on": _arrival(item.settled_on).isoformat(),
            "vat_shares": [{"vat_rate": "0", "net_pence": item.pence, "vat_pence": 0}],
        }


def _invoice_payload(item: OpenItem) -> dict[str, Any]:
    return {
        "reference": item.number,
        "supplier_reference": item.party,
        "number": item.number,
        "issued_on": item.issued_on.isoformat(),
        "received_on": item.issued_on.isoformat(),
        "due_on": item.due_on.isoformat(),
        "net_pence": item.pence,
        "vat_pence": 0,
        "gross_pence": item.pence,
        "vat_rate": "0",
        "description": "Open item",
    }


def _arrival(remitted_on: date) -> date:
    """Two days later; the clock of these agreements ends when the file is sent."""
    return remitted_on + ARRIVES_AFTER


def _silent(pieces: int = 1) -> None:
    """Paid invoices are counted, not steps on their way."""
