"""The lists as CSV: names beside ids and codes, text a spreadsheet does not compute."""

import csv
import io

from council_common.testing.harness import Harness
from supplier_stories import Case, registered, terms


async def _rows(service: Harness, path: str) -> list[dict[str, str]]:
    async with service.as_("auditor") as auditor:
        answer = await auditor.get(path)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_suppliers(service: Harness) -> None:
    async with service.as_("erp") as erp:
        await erp.post("/v1/market-sectors", json={"code": "care", "name": "Social care"})
    cared_for = await registered(service, name="=Brook Care", market_sector="care")
    held = await registered(service, reference="2")
    async with service.as_("payments_assistant") as assistant:
        await assistant.post(f"/v1/suppliers/{held['id']}/holds", json={"reason": "other", "note": "Look"})
    rows = await _rows(service, "/v1/suppliers/export.csv?sort=name")
    assert [(row["id"], row["name"], row["market_sector"], row["market_sector_name"]) for row in rows] == [
        (cared_for["id"], "'=Brook Care", "care", "Social care"),
        (held["id"], "Ardley Paving Ltd", "", ""),
    ]
    assert [(row["status"], row["payments_held"]) for row in rows] == [("active", "False"), ("held", "True")]
    assert [row["id"] for row in await _rows(service, "/v1/suppliers/export.csv?held=true")] == [held["id"]]


async def test_bank_account_changes(service: Harness) -> None:
    case = Case(service, await registered(service))
    await case.approved()
    [row] = await _rows(service, "/v1/bank-account-changes/export.csv?open=true")
    assert (row["supplier_id"], row["supplier_name"]) == (case.supplier["id"], "Ardley Paving Ltd")
    assert (row["status"], row["cooling_off_until"]) == ("approved", "2026-03-16")


async def test_onboardings_and_market_sectors(service: Harness) -> None:
    supplier = await registered(service)
    agreed = {"supplier_id": supplier["id"], "stage": "agreed", "terms": terms()}
    async with service.as_("early_payment_coordinator") as coordinator:
        await coordinator.post("/v1/onboardings", json=agreed)
        await coordinator.post("/v1/market-sectors", json={"code": "it", "name": "Computers"})
    [row] = await _rows(service, "/v1/onboardings/export.csv?stage=agreed")
    assert (row["supplier_name"], row["stage_on"], row["reference_rate_percent"], row["target_day"]) == (
        "Ardley Paving Ltd",
        "2026-03-10",
        "1.00",
        "10",
    )
    assert [row["name"] for row in await _rows(service, "/v1/market-sectors/export.csv")] == ["Computers"]


async def test_a_filter_that_is_not_known_is_refused(service: Harness) -> None:
    async with service.as_("auditor") as auditor:
        for path in ("suppliers", "bank-account-changes", "onboardings", "market-sectors"):
            refused = await auditor.get(f"/v1/{path}", params={"supplier": "x"})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "supplier")
