import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
import pytest
from council_common.contracts.notifications import MessageDeliveredV1
from council_common.runtime.clients import ServiceClients
from council_common.testing.fixtures import service_fixtures
from council_common.testing.harness import Harness
from debt_service.main import SERVICE
from debt_service.settings import Settings

TODAY = date(2026, 3, 11)

service_database, service, racing_service = service_fixtures(SERVICE, Settings)


class Office:
    """The debt team at work, over HTTP: each step returns the service's answer."""

    def __init__(self, service: Harness) -> None:
        self.service = service
        self.erp = service.as_("erp")
        self.coordinator = service.as_("receivables_coordinator")
        self.officer = service.as_("debt_recovery_officer")
        self.templates: dict[str, Any] | None = {}
        self._numbers = count(1)

    def on(self, day: date) -> None:
        """Move to the morning of a day."""
        self.service.now = datetime(day.year, day.month, day.day, 9, 0, tzinfo=UTC)

    async def get(self, path: str, *, client: Any = None, **params: Any) -> Any:
        """What a GET answers, with 200."""
        answer = await (client or self.officer).get(f"/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def csv(self, path: str, **params: Any) -> list[dict[str, str]]:
        """The rows of a download."""
        answer = await self.officer.get(f"/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    async def post(self, path: str, body: Any = None, *, client: Any = None, status: int = 201) -> Any:
        """What a POST answers, with `status`."""
        answer = await (client or self.officer).post(f"/v1/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def customer_body(self, **values: Any) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "source": {"system": "erp", "reference": f"C{number}"},
            "kind": "business",
            "name": "Harbour Café",
            "email": "owed@example.com",
            "preferred_channel": "email",
            **values,
        }

    async def customer(self, **values: Any) -> Any:
        return await self.post("customers", self.customer_body(**values), client=self.erp)

    def receivable_body(self, customer: Any, pence: int, *, due_on: date, **values: Any) -> dict[str, Any]:
        number = next(self._numbers)
        line = {"description": "Trade waste", "net_pence": pence, "vat_rate": "0", "vat_pence": 0}
        return {
            "source": {"system": "erp", "reference": f"R{number}"},
            "customer_id": customer["id"],
            "number": f"R{number:07}",
            "department": "commercial_waste",
            "debt_type": "sundry",
            "issued_on": str(due_on - timedelta(days=30)),
            "due_on": str(due_on),
            "lines": [line],
            "gross_pence": pence,
            **values,
        }

    async def receivable(self, customer: Any, pence: int, *, due_on: date, **values: Any) -> Any:
        body = self.receivable_body(customer, pence, due_on=due_on, **values)
        return await self.post("receivables", body, client=self.erp)

    def receipt_body(self, pence: int, **values: Any) -> dict[str, Any]:
        number = next(self._numbers)
        source = {"system": "bank", "reference": f"B{number}"}
        received_on = str(self.service.now.date())
        return {"source": source, "received_on": received_on, "amount_pence": pence, **values}

    async def receipt(self, pence: int, *, status: int = 201, **values: Any) -> Any:
        return await self.post("receipts", self.receipt_body(pence, **values), status=status, client=self.erp)

    async def allocate(self, receipt: Any, debt: Any, pence: int, *, status: int = 201, **values: Any) -> Any:
        """Set a part of a receipt against a debt, by hand."""
        request = {"allocations": [{"receivable_id": debt["id"], "amount_pence": pence}], **values}
        return await self.post(f"receipts/{receipt['id']}/allocations", request, status=status)

    async def take_back(
        self, receipt: Any, allocation: Any, reason: str = "wrong_debt", *, status: int = 201, **values: Any
    ) -> Any:
        """Reverse one allocation of a receipt."""
        body = {"reason": reason, "note": "meant for the other debt", **values}
        return await self.post(
            f"receipts/{receipt['id']}/allocations/{allocation['id']}/reversals", body, status=status
        )

    async def cancel(self, debt: Any, reason: str = "other", *, status: int = 201) -> Any:
        """Credit all that a debt still owes."""
        body = {"reason": reason, "note": "as the department says"}
        return await self.post(f"receivables/{debt['id']}/cancellations", body, status=status)

    async def give_back(self, receipt: Any, reason: str = "refer_to_payer", *, status: int = 201, **values: Any) -> Any:
        """The money went back to the bank."""
        return await self.post(f"receipts/{receipt['id']}/reversals", {"reason": reason, **values}, status=status)

    async def ladder(self, *days: int, interval: int = 0, **values: Any) -> Any:
        """A procedure with a level at each of these days overdue."""
        levels = [
            {
                "level": number,
                "days_overdue": late,
                "interval_days": max(1, interval) if number > 1 else 0,
                "template": "reminder",
            }
            for number, late in enumerate(days, start=1)
        ]
        body = {
            "name": "Test ladder",
            "effective_from": "2001-01-01",
            "levels": levels,
            "source": "test",
            **values,
        }
        return await self.post("dunning-procedures", body)

    async def propose(self, as_at: date, **values: Any) -> Any:
        return await self.post("dunning-runs", {"as_at": str(as_at), **values}, client=self.coordinator)

    async def items(self, run: Any, **params: Any) -> Any:
        return (await self.get(f"dunning-runs/{run['id']}/items", **params))["items"]

    async def approve(self, run: Any, *, issued_on: date | None = None) -> Any:
        """The run as it is when its notices are issued."""
        body = {"issued_on": str(issued_on)} if issued_on else None
        await self.post(f"dunning-runs/{run['id']}/approvals", body, status=202)
        await self.issue()
        issued = await self.get(f"dunning-runs/{run['id']}")
        assert issued["status"] == "issued", issued
        return issued

    async def issue(self) -> None:
        """The worker issues the notices of approved runs."""
        await self.service.run_job(next(job for job in SERVICE.jobs if job.name == "issue-dunning-notices"))

    async def notices(self, **params: Any) -> Any:
        return (await self.get("dunning-notices", limit=200, **params))["items"]

    def hold_body(self, **values: Any) -> dict[str, Any]:
        today = self.service.now.date()
        return {
            "reason": "dispute",
            "note": "wrong amount",
            "owner": "waste team",
            "review_on": str(today + timedelta(days=14)),
            "ends_on": None if values.get("reason") == "deceased" else str(today + timedelta(days=60)),
            **values,
        }

    async def hold(self, *, status: int = 201, **values: Any) -> Any:
        return await self.post("holds", self.hold_body(**values), status=status)

    async def release(self, hold: Any, note: str = "assessed", *, status: int = 201) -> Any:
        body = {"reason": "resolved", "note": note}
        return await self.post(f"holds/{hold['id']}/releases", body, status=status)

    async def deliver_all(self) -> None:
        """Notification-service reports the delivery of every notice that is under way."""
        for notice in await self.notices(delivery_status="issued"):
            message = self.message(MessageDeliveredV1, notice["id"], template=notice["template"])
            await self.service.deliver(message)

    def message(self, event: type, notice_id: str, **values: Any) -> Any:
        return event(
            version=1,
            occurred_at=self.service.now,
            by="notification-service",
            about_id=notice_id,
            **{
                "about_kind": "dunning_notice",
                "message_id": uuid5(NAMESPACE_OID, str(notice_id)),
                "template": "reminder",
                "template_version": 1,
                "channel": "email",
                **values,
            },
        )

    async def all_items(self, path: str, **params: Any) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=200, **params, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    async def check_books(self) -> None:
        """Journal balanced, control account = what receivables owe, to the penny and by id.

        Summed here from the journal's lines and the receivables, then compared with the service's own reports.
        """
        control: Counter[str] = Counter()
        cash: Counter[str | None] = Counter()
        for entry in await self.all_items("journal"):
            assert sum(line["amount_pence"] for line in entry["lines"]) == 0, entry
            for line in entry["lines"]:
                if line["account"] == "receivables_control":
                    control[line["receivable_id"]] += line["amount_pence"]
                elif line["account"] == "unallocated_cash":
                    cash[line["customer_id"]] -= line["amount_pence"]
        owed = {debt["id"]: debt["outstanding_pence"] for debt in await self.all_items("receivables")}
        assert dict(control) == owed
        left: Counter[str | None] = Counter()
        for receipt in await self.all_items("receipts"):
            left[receipt["customer_id"]] += receipt["unallocated_pence"]
            standing = sum(one["amount_pence"] for one in receipt["allocations"] if one["reversed_on"] is None)
            assert standing == receipt["allocated_pence"], receipt
            if receipt["status"] == "received":
                assert standing + receipt["unallocated_pence"] == receipt["amount_pence"], receipt
        assert +cash == +left
        balance = await self.get("control-accounts")
        assert balance["sum_pence"] == 0
        assert balance["difference_pence"] == 0, balance
        today = self.service.now.date()
        checked = await self.get("control-accounts/reconciliation", start=str(today - timedelta(days=3)))
        assert checked["difference_pence"] == 0, checked
        assert checked["differences"] == checked["drifted"] == checked["receipts_drifted"] == []


DUNNING = {"channels": ["email", "letter"], "written_for": "dunning_notice", "status": "approved"}


@asynccontextmanager
async def _with_templates(service: Harness) -> AsyncIterator[Office]:
    """An office whose service asks a notification-service that has `office.templates`; None: it does not answer."""
    office = Office(service)
    office.templates = {name: dict(DUNNING) for name in ("reminder", "final_notice", "pre_legal_notice")}

    async def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/v1/message-templates/"):
            async with service.issuer.client() as issuer:
                return await issuer.send(request)
        if office.templates is None:
            raise httpx.ConnectError("away")
        template = office.templates.get(request.url.path.rsplit("/", 1)[1])
        return httpx.Response(404) if template is None else httpx.Response(200, json=template)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        service.runtime.clients = ServiceClients(service.runtime.settings, client)
        yield office


@pytest.fixture
async def office(service: Harness) -> AsyncIterator[Office]:
    async with _with_templates(service) as office:
        yield office


@pytest.fixture
async def racing_office(racing_service: Harness) -> AsyncIterator[Office]:
    async with _with_templates(racing_service) as office:
        yield office


@pytest.fixture
async def late(office):
    """A debt ten days late, on a ladder of 1, 8, 15 and 29 days with seven days between notices."""
    office.on(TODAY)
    await office.ladder(1, 8, 15, 29, interval=7)
    return await office.receivable(await office.customer(), 100_00, due_on=TODAY - timedelta(days=10))
