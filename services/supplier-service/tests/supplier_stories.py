"""Requests as the ERP and the payments team send them: fixed and plausible, bank details never real."""

from __future__ import annotations

from typing import Any

from council_common.testing.harness import Harness
from httpx import AsyncClient

SORT_CODE, ACCOUNT_NUMBER, ACCOUNT_NAME = "20-55-41", "91734268", "Ardley Paving Client Account"
NEW_SORT_CODE, NEW_ACCOUNT_NUMBER, NEW_ACCOUNT_NAME = "40-62-19", "58203917", "Ardley Holdings Second Account"
SECRETS = ("205541", "20-55-41", "91734268", "406219", "40-62-19", "58203917", ACCOUNT_NAME, NEW_ACCOUNT_NAME)


def a_supplier(*, reference: str = "4000123", **fields: Any) -> dict[str, Any]:
    return {
        "source": {"system": "erp", "reference": reference},
        "name": "Ardley Paving Ltd",
        "company_number": "445790",
        "vat_number": "GB 980 7806 84",
        "payment_terms_days": 30,
        "contacts": [
            {
                "name": "Accounts department",
                "email": "accounts@ardley-paving.example.com",
                "phone": "01603 555 010",
                "purpose": "accounts",
                "phone_since": "2019-04-01",
            }
        ],
        "address": {"lines": ["Unit 4, Station Yard", "Ardley"], "postcode": "NR9 4AB"},
        "bank_account": {
            "sort_code": SORT_CODE,
            "account_number": ACCOUNT_NUMBER,
            "account_name": ACCOUNT_NAME,
        },
        **fields,
    }


def a_change(supplier_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "supplier_id": supplier_id,
        "sort_code": NEW_SORT_CODE,
        "account_number": NEW_ACCOUNT_NUMBER,
        "account_name": NEW_ACCOUNT_NAME,
        "requested_via": "email",
        "note": "Letter of 9 March: new bank",
        **fields,
    }


def terms(**fields: Any) -> dict[str, Any]:
    return {
        "agreed_on": "2026-03-10",
        "effective_from": "2026-04-01",
        "clock_start": "received",
        "clock_end": "run_date",
        "rebate_base": "net",
        "vat_mode": "reduce_net_and_vat",
        "collection": "deduct_at_source",
        **fields,
    }


async def registered(service: Harness, **fields: Any) -> dict[str, Any]:
    """A supplier that the ERP has registered."""
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/suppliers", json=a_supplier(**fields))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


class Case:
    """A bank-account change and the three people it takes."""

    def __init__(self, service: Harness, supplier: dict[str, Any]) -> None:
        self.supplier = supplier
        self.contact_id = supplier["contacts"][0]["id"]
        self.requester: AsyncClient = service.as_("payments_assistant", "r.khan")
        self.caller: AsyncClient = service.as_("payments_assistant", "c.boyle")
        self.approver: AsyncClient = service.as_("ap_manager", "a.mensah")
        self.path = ""

    async def supplier_now(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.approver.get(f"/v1/suppliers/{self.supplier['id']}")).json()
        return answer

    async def request(self) -> dict[str, Any]:
        answer = await self.requester.post("/v1/bank-account-changes", json=a_change(self.supplier["id"]))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        self.path = f"/v1/bank-account-changes/{body['id']}"
        return body

    async def evidence(self) -> None:
        answer = await self.requester.post(
            f"{self.path}/evidence", json={"kind": "bank_letter", "reference": "EDRMS 2026/0311"}
        )
        assert answer.status_code == 201, answer.text

    def call(self, outcome: str = "confirmed", **fields: Any) -> dict[str, Any]:
        read_out = {"sort_code": NEW_SORT_CODE, "account_number": NEW_ACCOUNT_NUMBER} if outcome == "confirmed" else {}
        called = {"contact_id": self.contact_id, "outcome": outcome, "note": "Spoke to the director"}
        return called | read_out | fields

    async def called_back(self) -> None:
        await self.request()
        await self.evidence()
        answer = await self.caller.post(f"{self.path}/call-backs", json=self.call())
        assert answer.status_code == 201, answer.text

    async def approved(self) -> dict[str, Any]:
        await self.called_back()
        answer = await self.approver.post(f"{self.path}/approvals", json={})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body
