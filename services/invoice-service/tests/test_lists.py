import csv
import io
from typing import Any

from council_common.testing.harness import Harness
from invoice_stories import a_hold, a_payment, a_supplier, approved, received, shown
from supplier_stand_in import supplier_service


async def _some(service: Harness) -> dict[str, Any]:
    supplier_id = await a_supplier(service)
    await a_supplier(service, "S2")
    plain = await received(service, number="A-1")
    paid = await approved(service, number="A-2", received_on="2026-03-03")
    small = [{"description": "", "net_pence": 5, "vat_rate": "0", "vat_pence": 0, "department": "Parks"}]
    other = await received(
        service, number="=A-3", received_on="2026-03-05", supplier={"system": "erp", "reference": "S2"}, lines=small,
        net_pence=5, vat_pence=0, gross_pence=5, purchase_order_number=None,
    )  # fmt: skip
    async with service.as_("erp") as erp:
        await erp.post("/v1/payments", json=a_payment(paid["id"]))
        await erp.post(f"/v1/invoices/{other['id']}/holds", json=a_hold("missing_po"))
    return {"plain": plain["id"], "paid": paid["id"], "other": other["id"], "supplier": supplier_id}


async def test_each_filter_narrows_the_list(service: Harness) -> None:
    made = await _some(service)
    for query, wanted in (
        ("", ["other", "paid", "plain"]),
        ("sort=received_on", ["plain", "paid", "other"]),
        (f"supplier_id={made['supplier']}", ["paid", "plain"]),
        ("status=paid", ["paid"]),
        ("number=inv a1", ["plain"]),
        ("source_system=erp&source_reference=51-A-2", ["paid"]),
        ("department=Parks", ["other"]),
        ("department=Highways&sort=id", ["plain", "paid"]),
        ("received_from=2026-03-03&received_to=2026-03-03", ["paid"]),
        ("due_from=2026-04-03", ["other"]),
        ("paid_from=2026-03-11&paid_to=2026-03-11", ["paid"]),
        ("gross_pence_to=5", ["other"]),
        ("gross_pence_from=6&sort=-due_on", ["paid", "plain"]),
        ("held=true", ["other"]),
        ("held=false&sort=id", ["plain", "paid"]),
        ("hold_reason=missing_po", ["other"]),
        ("hold_reason=dispute", []),
        ("purchase_order_number=PO-77&sort=-id", ["paid", "plain"]),
        ("kind=credit_note", []),
        ("historic=true", []),
    ):
        page = await shown(service, f"/v1/invoices?{query}")
        assert [invoice["id"] for invoice in page["items"]] == [made[name] for name in wanted], query


async def test_pages_follow_one_another(service: Harness) -> None:
    await _some(service)
    for sort in ("received_on", "-received_on", "due_on", "-due_on", "-id", "id"):
        seen: list[str] = []
        path = f"/v1/invoices?limit=1&sort={sort}"
        page = await shown(service, path)
        while page["next"]:
            seen += [invoice["id"] for invoice in page["items"]]
            page = await shown(service, f"{path}&cursor={page['next']}")
        assert len({*seen, page["items"][0]["id"]}) == 3, sort
    async with service.as_("auditor") as auditor:
        assert (await auditor.get("/v1/invoices?sort=colour")).status_code == 422
        assert (await auditor.get("/v1/invoices?limit=201")).status_code == 422


async def test_the_list_is_exported_as_csv_that_no_spreadsheet_computes(service: Harness) -> None:
    made = await _some(service)
    async with supplier_service(service) as suppliers, service.as_("auditor") as auditor:
        suppliers[str(made["supplier"])] = "Ardley Paving Ltd"
        answer = await auditor.get("/v1/invoices/export.csv?status=held")
        everything = await auditor.get("/v1/invoices/export.csv?sort=received_on")
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["id"], row["number"], row["hold_reasons"]) == (made["other"], "'=A-3", "missing_po")
    assert (row["supplier_name"], row["gross_pounds"]) == ("", "0.05")
    rows = list(csv.DictReader(io.StringIO(everything.content.decode("utf-8-sig"))))
    assert [row["supplier_name"] for row in rows] == ["Ardley Paving Ltd", "Ardley Paving Ltd", ""]
    assert [row["gross_pounds"] for row in rows] == ["1305.00", "1305.00", "0.05"]


async def test_no_export_without_the_names(service: Harness) -> None:
    await _some(service)
    async with supplier_service(service, away=True), service.as_("auditor") as auditor:
        answer = await auditor.get("/v1/invoices/export.csv")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_an_unknown_filter_is_refused_with_those_there_are(service: Harness) -> None:
    async with service.as_("auditor") as auditor:
        answer = await auditor.get("/v1/invoices?statsu=held")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["problem"]) == (422, "statsu", "unknown here")
    assert "status" in error["expected"]


async def test_what_changed_since(service: Harness) -> None:
    made = await _some(service)
    page = await shown(service, "/v1/invoices?changed_since=2026-01-01T00:00:00Z&sort=id")
    assert [item["id"] for item in page["items"]] == [made["plain"], made["paid"], made["other"]]
    assert (await shown(service, "/v1/invoices?changed_since=2100-01-01T00:00:00Z"))["items"] == []
    page = await shown(service, f"/v1/invoices?ids={made['plain']}&ids={made['other']}&limit=1&sort=id")
    assert ([item["id"] for item in page["items"]], page["next"]) == ([made["plain"], made["other"]], None)


async def test_what_is_not_there(service: Harness) -> None:
    async with service.as_("auditor") as auditor:
        for resource in ("invoices", "payments", "invoice-imports"):
            answer = await auditor.get(f"/v1/{resource}/0195a1b2-0000-7000-8000-000000000001")
            assert answer.status_code == 404, resource
            assert (await auditor.get(f"/v1/{resource}/nothing")).status_code == 422
