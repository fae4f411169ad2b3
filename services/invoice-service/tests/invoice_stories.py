"""Plausible suppliers, invoices, payments and files for the tests of this service."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

import httpx
from council_common.contracts.fields import SourceReference
from council_common.contracts.suppliers import SupplierRegisteredV1
from council_common.long_work.turns import job_of
from council_common.service.jobs import Job
from council_common.testing.harness import NOW, Harness
from invoice_service.intake.invoice_imports.importing import ImportInvoices

_NAMES = UUID("0195a1b2-0000-7000-8000-00000000ffff")


async def a_supplier(
    service: Harness, reference: str = "S1", *, system: str = "erp", terms_days: int = 30, status: str = "active"
) -> UUID:
    """A supplier of which supplier-service sent its event."""
    supplier_id = uuid5(_NAMES, f"{system}/{reference}")
    await service.deliver(
        SupplierRegisteredV1(
            version=1,
            occurred_at=NOW,
            by="erp",
            supplier_id=supplier_id,
            source=SourceReference(system=system, reference=reference),
            payment_terms_days=terms_days,
            status=status,
        )
    )
    return supplier_id


def an_invoice(number: str = "INV-0001", *, reference: str | None = None, **other: Any) -> dict[str, Any]:
    """£1,000 at 20 % and £100 at 5 %."""
    return {
        "supplier": {"system": "erp", "reference": "S1"},
        "source": {"system": "erp", "reference": reference or f"51-{number}"},
        "number": number,
        "purchase_order_number": "PO-77",
        "issued_on": "2026-03-01",
        "received_on": "2026-03-02",
        "lines": [
            {"description": "Paving", "net_pence": 100_000, "vat_rate": "20", "vat_pence": 20_000,
             "department": "Highways"},
            {"description": "Fuel", "net_pence": 10_000, "vat_rate": "5.0", "vat_pence": 500},
        ],
        "net_pence": 110_000,
        "vat_pence": 20_500,
        "gross_pence": 130_500,
    } | other  # fmt: skip


def a_payment(invoice_id: str, *, paid: int = 130_500, deducted: int = 0, reference: str = "PAY-1") -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "source": {"system": "erp", "reference": reference},
        "remitted_on": "2026-03-11",
        "arrives_on": "2026-03-13",
        "paid_pence": paid,
        "deducted_pence": deducted,
        "method": "bacs",
        "reference": "RUN 42",
    }


async def received(service: Harness, **other: Any) -> dict[str, Any]:
    """An invoice that the ERP posted."""
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice(**other))
    assert answer.status_code == 201, answer.text
    invoice: dict[str, Any] = answer.json()
    return invoice


async def a_supplier_seen(service: Harness) -> None:
    """A supplier of which an invoice came before: the next ones go the short way."""
    await a_supplier(service)
    await received(service, number="seen", reference="seen")


async def approved(service: Harness, **other: Any) -> dict[str, Any]:
    """An invoice that was approved."""
    invoice = await received(service, **other)
    async with service.as_("ap_manager") as manager:
        answer = await manager.post(f"/v1/invoices/{invoice['id']}/approvals")
    assert answer.status_code == 201, answer.text
    done: dict[str, Any] = answer.json()
    return done


def a_hold(reason: str, **other: Any) -> dict[str, Any]:
    """The body of a hold."""
    return {"reason": reason, "note": "As agreed on the telephone.", **other}


def a_release(**other: Any) -> dict[str, Any]:
    """The body of a hold's release."""
    return {"reason": "resolved", "note": "It is settled.", **other}


async def history_of(service: Harness, path: str) -> list[dict[str, Any]]:
    """Every change of a thing, oldest first."""
    page = await shown(service, f"{path}/history")
    assert page["next"] is None
    changes: list[dict[str, Any]] = page["items"]
    return changes


async def shown(service: Harness, path: str) -> Any:
    """What a reader sees there."""
    async with service.as_("auditor") as auditor:
        answer = await auditor.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


HEADER = "reference,supplier_reference,number,issued_on,received_on,net_pence,vat_pence,gross_pence,department"


def a_line(count: int, *, supplier: str = "S1", net: int = 10_000, **other: Any) -> str:
    """A line of an invoices file."""
    values = {
        "reference": f"R{count}",
        "supplier_reference": supplier,
        "number": f"A-{count}",
        "issued_on": "2026-02-01",
        "received_on": "2026-02-03",
        "net_pence": net,
        "vat_pence": net // 5,
        "gross_pence": net + net // 5,
        "department": "Parks",
    } | other
    return ",".join(str(values[name]) for name in HEADER.split(","))


def a_file(*lines: str, header: str = HEADER) -> bytes:
    return ("\r\n".join([header, *lines]) + "\r\n").encode()


SPEND_HEADER = "Body Name,Directorate,Purpose,Date Paid,Transaction Number,Net Amount,Supplier Name"


def a_spend_line(number: str, *, amount: str = "100.00", supplier: str = "Ardley Paving Ltd") -> str:
    return f'Ardley Council,Parks,Materials,02/03/2026,{number},"{amount}",{supplier}'


async def uploaded(service: Harness, body: bytes, *, filename: str = "file.csv", **params: Any) -> httpx.Response:
    """A file sent, not yet imported."""
    if "mapping" in params:
        params["mapping"] = json.dumps(params["mapping"])
    key = params.pop("key", None)
    headers = {"idempotency-key": key} if key else {}
    async with service.as_("payments_assistant") as assistant:
        return await assistant.post(
            "/v1/invoice-imports",
            params={"filename": filename, "source_system": "erp"} | params,
            content=body,
            headers=headers,
        )


async def imported(service: Harness, body: bytes, **params: Any) -> dict[str, Any]:
    """A file sent and imported: the import as it ended."""
    answer = await uploaded(service, body, **params)
    assert answer.status_code == 202, answer.text
    await service.run_job(fresh_job())
    done: dict[str, Any] = await shown(service, answer.headers["location"])
    return done


def line_counts(import_: dict[str, Any]) -> tuple[int, ...]:
    """What became of an import's lines: accepted, existing, refused, skipped."""
    return tuple(import_[f"lines_{name}"] for name in ("accepted", "existing", "refused", "skipped"))


async def stopped(service: Harness, path: str, *, role: str = "payments_assistant") -> httpx.Response:
    """An import cancelled by an officer."""
    async with service.as_(role) as officer:
        return await officer.post(f"{path}/cancellations", json={"note": "It is the wrong month."})


def fresh_job() -> Job:
    """The job of a process that has just started."""
    return job_of(ImportInvoices())


def spend(**params: Any) -> dict[str, Any]:
    """The parameters of a published spending file."""
    return {"profile": "published_spend", "source_system": "ardley", "unknown_suppliers": "refuse"} | params
