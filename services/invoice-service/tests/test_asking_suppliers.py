from uuid import uuid4

from council_common.testing.harness import Harness
from invoice_stories import an_invoice
from supplier_stand_in import supplier_service


async def test_a_supplier_whose_event_has_not_come_is_asked_for(service: Harness) -> None:
    async with supplier_service(service, known={"S1": "Ardley Paving Ltd"}), service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice())
        other = await erp.post("/v1/invoices", json=an_invoice("2", supplier={"system": "erp", "reference": "S7"}))
        nobody = an_invoice("3", supplier_id=str(uuid4()))
        del nobody["supplier"]
        unknown = await erp.post("/v1/invoices", json=nobody)
        by_id = an_invoice("4", supplier_id=answer.json()["supplier_id"])
        del by_id["supplier"]
        again = await erp.post("/v1/invoices", json=by_id)
    assert (answer.status_code, answer.json()["due_on"]) == (201, "2026-03-15")
    assert (other.status_code, other.json()["code"]) == (404, "supplier-not-found")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "supplier-not-found")
    assert [answer.json()["errors"][0]["field"] for answer in (other, unknown)] == ["supplier", "supplier_id"]
    assert again.status_code == 201


async def test_supplier_service_away_is_told(service: Harness) -> None:
    async with supplier_service(service, away=True), service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
