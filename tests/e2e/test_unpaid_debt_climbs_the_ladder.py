from typing import Any

from council import Council, a_reference, created, until

LEVELS = [
    {"level": 1, "days_overdue": 7, "template": "reminder", "channel": "email"},
    {"level": 2, "days_overdue": 21, "interval_days": 7, "template": "final_notice", "channel": "email"},
]


async def test_a_debt_is_reminded_paid_in_part_and_settled(council: Council) -> None:
    debt_type = a_reference("type").lower()
    erp, officer = council.as_("erp"), council.as_("debt_recovery_officer", "d.evans")
    coordinator = council.as_("receivables_coordinator", "r.khan")
    customer = created(
        await erp.post(
            "/v1/customers",
            json={
                "source": {"system": "erp", "reference": a_reference("C")},
                "kind": "business",
                "name": "Corner Shop",
                "email": f"{debt_type}@customer.example",
                "preferred_channel": "email",
            },
        )
    )
    reference = a_reference("R")
    receivable = created(
        await erp.post(
            "/v1/receivables",
            json={
                "source": {"system": "erp", "reference": reference},
                "customer_id": customer["id"],
                "number": reference,
                "department": "markets",
                "debt_type": debt_type,
                "issued_on": "2026-01-05",
                "due_on": "2026-02-04",
                "lines": [{"description": "Pitch", "net_pence": 50_000, "vat_rate": "0", "vat_pence": 0}],
                "gross_pence": 50_000,
            },
        )
    )
    created(
        await officer.post(
            "/v1/dunning-procedures",
            json={
                "name": debt_type,
                "debt_type": debt_type,
                "effective_from": "2026-01-01",
                "levels": LEVELS,
                "source": "a test's policy",
            },
        )
    )

    assert await _run(council, debt_type, "2026-02-10") == 0  # six days late
    assert await _run(council, debt_type, "2026-02-11") == 1
    assert len(await until(lambda: council.mails_to(customer["email"]))) == 1
    assert await _run(council, debt_type, "2026-02-24") == 0  # twenty days late

    part = await _receipt(council, reference, 20_000, "2026-02-24")
    assert part["allocations"][0]["amount_pence"] == 20_000
    assert await _run(council, debt_type, "2026-02-25") == 1  # the rest climbs on
    await _receipt(council, reference, 30_000, "2026-02-26")
    settled = (await erp.get(f"/v1/receivables/{receivable['id']}")).json()
    assert (settled["status"], settled["outstanding_pence"]) == ("settled", 0)
    assert await _run(council, debt_type, "2026-04-01") == 0
    answer = await coordinator.get("/v1/control-accounts/reconciliation", params={"start": "1990-01-01"})
    assert answer.status_code == 200, answer.text
    control = answer.json()
    assert control["difference_pence"] == 0, control
    assert control["differences"] == control["drifted"] == []


async def _receipt(council: Council, reference: str, pence: int, day: str) -> Any:
    return created(
        await council.as_("erp").post(
            "/v1/receipts",
            json={
                "source": {"system": "bank", "reference": a_reference("B")},
                "received_on": day,
                "amount_pence": pence,
                "payer_reference": reference,
            },
        )
    )


async def _run(council: Council, debt_type: str, day: str) -> int:
    """Propose, approve by somebody else, wait for the notices' fate; how many were issued."""
    coordinator = council.as_("receivables_coordinator", "r.khan")
    officer = council.as_("debt_recovery_officer", "d.evans")
    run = created(await coordinator.post("/v1/dunning-runs", json={"as_at": day, "debt_type": debt_type}))
    if run["found"]["proposed"] == 0:
        return 0
    own = await council.as_("debt_recovery_officer", "r.khan").post(f"/v1/dunning-runs/{run['id']}/approvals", json={})
    assert own.status_code == 403, own.text
    approved = await officer.post(f"/v1/dunning-runs/{run['id']}/approvals", json={"issued_on": day})
    assert approved.status_code == 202, approved.text

    async def is_issued() -> Any:
        shown = (await officer.get(f"/v1/dunning-runs/{run['id']}")).json()
        return shown if shown["status"] == "issued" else None

    done = await until(is_issued)

    async def all_final() -> bool:
        notices = (await officer.get("/v1/dunning-notices", params={"run_id": run["id"]})).json()["items"]
        return all(notice["delivery_status"] in {"delivered", "failed"} for notice in notices)

    await until(all_final)
    issued: int = done["outcome"]["issued"]
    return issued
