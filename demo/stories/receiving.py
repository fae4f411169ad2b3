"""Invoices come in one by one from the ERP, are approved by an officer, disputed, or found to be duplicates."""

from __future__ import annotations

from typing import Any

from demo.council_api import Council, Refused, for_each, until
from demo.sample_council.facts import SOURCE, Fate, Invoice, SampleCouncil, Way
from demo.steps import Steps

NEVER_APPROVED = {Fate.RECEIVED, Fate.DUPLICATE, Fate.DISPUTED}


async def invoices_known(council: Council) -> dict[str, dict[str, str]]:
    """The sample's invoices as invoice-service has them now, by the ERP's reference."""
    rows = await council.auditor.rows("/v1/invoices/export.csv", source_system=SOURCE)
    return {row["source_reference"]: row for row in rows}


async def post_invoices(council: Council, sample: SampleCouncil, steps: Steps) -> None:
    """Most invoices come one by one; the duplicate after the one it repeats."""
    known = await invoices_known(council)
    posted = [one for one in sample.invoices if one.way is Way.POST and one.reference not in known]
    first = [one for one in posted if one.fate is not Fate.DUPLICATE]

    async def post(invoice: Invoice) -> None:
        await council.erp.post("/v1/invoices", _invoice_payload(invoice), key=f"sample-invoice-{invoice.reference}")

    with steps.step("Invoices posted one by one", len(posted)) as tick:
        await for_each(first, post, tick=tick)
        for invoice in sample.invoices_with(Fate.DUPLICATE):
            if invoice in posted:
                await post(invoice)
                tick()


def _invoice_payload(invoice: Invoice) -> dict[str, Any]:
    return {
        "source": {"system": SOURCE, "reference": invoice.reference},
        "supplier": {"system": SOURCE, "reference": invoice.supplier.reference},
        "number": invoice.number,
        "issued_on": invoice.issued_on.isoformat(),
        "received_on": invoice.received_on.isoformat(),
        "lines": [{name: getattr(line, name) for name in line.__slots__} for line in invoice.lines],
        "net_pence": invoice.net_pence,
        "vat_pence": invoice.vat_pence,
        "gross_pence": invoice.gross_pence,
    }


async def judge_invoices(council: Council, sample: SampleCouncil, steps: Steps) -> None:
    """Approve what is right, hold what is in dispute, cancel what came twice."""
    known = await invoices_known(council)
    waiting = [
        known[one.reference]["id"]
        for one in sample.invoices
        if one.fate not in NEVER_APPROVED and known[one.reference]["status"] == "received"
    ]

    async def approve(invoice_id: str) -> None:
        try:
            await council.assistant.post(f"/v1/invoices/{invoice_id}/approvals", key=f"sample-approval-{invoice_id}")
        except Refused as refused:
            # A change of bank account in an earlier run holds it.
            if "bank_account_change" not in refused.problem.get("hold_reasons", ()):
                raise

    with steps.step("Approvals", len(waiting)) as tick:
        await for_each(waiting, approve, tick=tick)
    for invoice in sample.invoices_with(Fate.DISPUTED):
        await _dispute(council, known[invoice.reference])
    for invoice in sample.invoices_with(Fate.DUPLICATE):
        await _cancel_duplicate(council, known[invoice.reference])


async def _dispute(council: Council, row: dict[str, str]) -> None:
    if row["status"] == "received":
        body = {"reason": "dispute", "note": "The work was not finished"}
        await council.assistant.post(f"/v1/invoices/{row['id']}/holds", body, key=f"sample-dispute-{row['id']}")


async def _cancel_duplicate(council: Council, row: dict[str, str]) -> None:
    if row["status"] != "cancelled":
        body = {"reason": "duplicate", "note": "Sent twice by the supplier"}
        path = f"/v1/invoices/{row['id']}/cancellations"
        await council.ap_manager.post(path, body, key=f"sample-duplicate-{row['id']}")


async def until_held(council: Council, invoice_id: str) -> None:
    """Return when an invoice is held; the event that holds it is on its way."""
    await _until_status(council, invoice_id, held=True)


async def until_released(council: Council, invoice_id: str) -> None:
    """Return when an invoice is free to be paid."""
    await _until_status(council, invoice_id, held=False)


async def _until_status(council: Council, invoice_id: str, *, held: bool) -> None:
    async def is_so() -> bool:
        invoice = await council.auditor.get(f"/v1/invoices/{invoice_id}")
        return bool((invoice["status"] == "held") == held)

    await until(is_so, what=f"an invoice to be {'held' if held else 'released'}")
