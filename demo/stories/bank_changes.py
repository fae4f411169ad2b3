"""Two suppliers ask to be paid to another account: one did, and waits out the cooling-off; one never asked."""

from __future__ import annotations

from typing import Any

from demo.council_api import Caller, Council, Refused
from demo.sample_council.facts import Fate, SampleCouncil, Supplier
from demo.steps import Steps
from demo.stories.receiving import invoices_known, until_held, until_released

NEW_ACCOUNT = {"sort_code": "99-77-55", "account_number": "31415926"}


async def change_bank_accounts(council: Council, sample: SampleCouncil, ids: dict[str, str], steps: Steps) -> None:
    """Hold both suppliers' payments, warn the old contacts, let nothing be approved meanwhile, and decide."""
    genuine = sample.invoices_with(Fate.WAITS_FOR_NEW_ACCOUNT)[0]
    false_alarm = sample.invoices_with(Fate.PAID_AFTER_FALSE_ALARM)[0]
    known = await invoices_known(council)
    with steps.step("Changes of bank account", 2) as tick:
        change = await _opened(council, genuine.supplier, ids)
        if change["status"] in {"requested", "evidence", "called_back"}:
            invoice_id = known[genuine.reference]["id"]
            await until_held(council, invoice_id)
            await _try_to_approve(council.ap_manager, invoice_id)
            await _confirm(council, change, ids[genuine.supplier.reference])
        tick()
        change = await _opened(council, false_alarm.supplier, ids)
        invoice_id = known[false_alarm.reference]["id"]
        if change["status"] in {"requested", "evidence", "called_back"}:
            await until_held(council, invoice_id)
            await _try_to_approve(council.ap_manager, invoice_id)
            path = f"/v1/bank-account-changes/{change['id']}/rejections"
            body = {"note": "The supplier knows nothing of it"}
            await council.ap_manager.post(path, body, key=f"sample-rejection-{change['id']}")
        await until_released(council, invoice_id)
        tick()


async def _opened(council: Council, supplier: Supplier, ids: dict[str, str]) -> dict[str, Any]:
    """The supplier's case; opened unless an earlier run did."""
    supplier_id = ids[supplier.reference]
    async for change in council.assistant.items("/v1/bank-account-changes", supplier_id=supplier_id):
        return change
    body = {
        "supplier_id": supplier_id,
        **NEW_ACCOUNT,
        "account_name": supplier.name,
        "requested_via": "email",
        "note": "Asked for by e-mail, new bank",
    }
    key = f"sample-bank-change-{supplier.reference}"
    change = await council.assistant.post("/v1/bank-account-changes", body, key=key)
    return dict(change)


async def _try_to_approve(approver: Caller, invoice_id: str) -> None:
    """Whoever approves knows nothing of the case: the platform has to refuse."""
    try:
        await approver.post(f"/v1/invoices/{invoice_id}/approvals", {})
    except Refused as refused:
        if refused.code == "invoice-held":
            return
        raise
    raise RuntimeError("an invoice was approved while the supplier's bank account was in question")


async def _confirm(council: Council, change: dict[str, Any], supplier_id: str) -> None:
    """Evidence, a call-back by a second person on the old number, approval by a third."""
    path = f"/v1/bank-account-changes/{change['id']}"
    supplier = await council.assistant.get(f"/v1/suppliers/{supplier_id}")
    evidence = {"kind": "bank_letter", "reference": "EDRMS 2026/0311"}
    called = {
        "contact_id": supplier["contacts"][0]["id"],
        "outcome": "confirmed",
        # As the supplier reads it out: the platform compares, the officer who calls does not see what was typed in.
        **NEW_ACCOUNT,
        "note": "Spoke to the director, who knew of the change",
    }
    if change["status"] == "requested":
        await council.assistant.post(f"{path}/evidence", evidence, key=f"sample-evidence-{change['id']}")
    if change["status"] != "called_back":
        await council.second_assistant.post(f"{path}/call-backs", called, key=f"sample-call-back-{change['id']}")
    await council.ap_manager.post(f"{path}/approvals", {}, key=f"sample-approval-{change['id']}")
