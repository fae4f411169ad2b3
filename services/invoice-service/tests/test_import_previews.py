"""How a file would be read, without storing anything; and how a layout that was asked about is read next time."""

from __future__ import annotations

import json
from typing import Any

from council_common.testing.harness import Harness
from invoice_stories import a_supplier, fresh_job, history_of, imported, line_counts, shown, spend
from supplier_stand_in import supplier_service

SPREAD = ("Date,Supplier,Amount", "3/2/2025,A Ltd,1.00", "3/7/2025,A Ltd,2.00", "3/11/2025,A Ltd,3.00")
LAYOUT = "Supplier,Invoice No,Received,Net £"


def _file(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


async def _preview(service: Harness, body: bytes, **params: Any) -> dict[str, Any]:
    query = {"filename": "a.csv", "source_system": "erp"} | params
    if "mapping" in query:
        query["mapping"] = json.dumps(query["mapping"])
    async with service.as_("payments_assistant") as officer:
        answer = await officer.post("/v1/invoice-imports/previews", params=query, content=body)
    assert answer.status_code == 200, answer.text
    previewed: dict[str, Any] = answer.json()
    return previewed


async def test_a_preview_shows_how_a_file_is_read_and_stores_nothing(service: Harness) -> None:
    lines = [f"{day}/08/2025,Example Fuels Ltd,T{day},{day}.50" for day in range(10, 22)]
    body = _file(
        "Payments over £500", "Payment Made Date,Payee,Trans. No,Amount excl. VAT", *lines, "x/08/2025,A,T9,1.00",
        "Total,,,192.00",
    )  # fmt: skip
    seen = await _preview(service, body, **spend())
    reading = seen["reading"]
    assert (reading["header_line"], reading["date_orders"], reading["dates_undecided"]) == (2, {"paid_on": "dmy"}, [])
    assert reading["columns"]["paid_on"] == {"name": "Payment Made Date", "number": 1, "found_by": "words"}
    assert reading["columns"]["supplier_name"]["found_by"] == "name"
    assert (seen["doubts"], seen["amount_basis"], seen["amounts"], seen["is_whole"]) == ([], "net", "pounds", True)
    assert [record["net_pence"] for record in seen["records"]] == [day * 100 + 50 for day in range(10, 20)]
    assert seen["records"][0]["paid_on"] == "2025-08-10"
    assert [refusal["line_number"] for refusal in seen["refusals"]] == [15]
    counts = (seen["lines_accepted"], seen["lines_refused"], seen["lines_skipped"])
    assert (counts, seen["net_pence_sum"], seen["file_total_pence"]) == ((12, 1, 1), 19_200, 19_200)
    assert (await shown(service, "/v1/invoice-imports"))["items"] == []
    assert (await shown(service, "/v1/invoices"))["items"] == []


async def test_a_preview_answers_every_doubt_and_takes_a_mapping(service: Harness) -> None:
    body = _file("Supplier ID,Invoice No,Received,Net £,VAT £", "S1,A1,8/24/2025,1500,300", "S1,A2,24/8/2025,2,0")
    seen = await _preview(service, body)
    assert [(doubt["field"], doubt["candidates"]) for doubt in seen["doubts"]] == [
        ("net", ["pounds", "pence"]),
        ("vat", ["pounds", "pence"]),
        ("received_on", ["dmy", "mdy"]),
    ]
    assert (seen["records"], seen["amounts"]) == ([], None)
    seen = await _preview(service, body, mapping={"amounts": "pounds", "date_order": "mdy"})
    assert seen["doubts"] == []
    assert [(one["number"], one["received_on"], one["net_pence"]) for one in seen["records"]] == [
        ("A1", "2025-08-24", 150_000)
    ]
    assert [refusal["code"] for refusal in seen["refusals"]] == ["not-a-calendar-day"]


async def test_a_preview_of_a_file_that_cannot_be_read_says_why(service: Harness) -> None:
    async with service.as_("payments_assistant") as officer:
        query = {"filename": "a.csv", "source_system": "erp"}
        answer = await officer.post("/v1/invoice-imports/previews", params=query, content=b"colour,size\r\nred,4\r\n")
    assert (answer.status_code, answer.json()["code"]) == (422, "file-not-readable")
    assert "missing-columns" in answer.json()["detail"]


async def test_a_layout_is_asked_about_once(service: Harness) -> None:
    async with supplier_service(service):
        asked = await imported(service, _file(*SPREAD), **spend(unknown_suppliers="register"))
        assert asked["status"] == "in_doubt"
        async with service.as_("payments_assistant") as officer:
            body = {"mapping": {"date_order": "mdy"}, "note": "The trust writes the month first."}
            await officer.post(f"/v1/invoice-imports/{asked['id']}/answers", json=body)
        await service.run_job(fresh_job())
        next_month = ("date,SUPPLIER,Amount", "4/2/2025,A Ltd,1.00", "4/7/2025,A Ltd,2.00", "4/11/2025,A Ltd,3.00")
        again = await imported(service, _file(*next_month), **spend(unknown_suppliers="register"))
        assert (again["status"], line_counts(again)) == ("done", (3, 0, 0, 0))
        [saved] = (await shown(service, "/v1/import-readings"))["items"]
        assert again["reading"]["saved_reading"] == saved["id"]
        assert (saved["import_id"], saved["mapping"], saved["header"]) == (
            asked["id"], {"date_order": "mdy"}, ["date", "supplier", "amount"],
        )  # fmt: skip
        proven = (*next_month, "24/2/2025,A Ltd,4.00")
        decided = await imported(service, _file(*proven), **spend(unknown_suppliers="register"))
        assert decided["reading"]["date_orders"] == {"paid_on": "dmy"}
        other = ("Date,Supplier,Amount,Notes", *(f"{line}," for line in SPREAD[1:]))
        assert (await imported(service, _file(*other), **spend()))["status"] == "in_doubt"
        elsewhere = await imported(service, _file(*next_month), **spend(source_system="elsewhere"))
        assert elsewhere["status"] == "in_doubt"
        async with service.as_("payments_assistant") as officer:
            path = f"/v1/import-readings/{saved['id']}"
            withdrawn = await officer.post(f"{path}/withdrawals", json={"note": "That was another system."})
            assert (withdrawn.status_code, withdrawn.json()["withdrawn_at"] is not None) == (201, True)
            assert (await officer.post(f"{path}/withdrawals", json={"note": "Again."})).status_code == 409
        assert (await imported(service, _file(*next_month), **spend()))["status"] == "in_doubt"
    assert [change["action"] for change in await history_of(service, path)] == ["saved", "withdrawn"]


async def test_what_the_sender_says_now_goes_before_what_was_saved(service: Harness) -> None:
    await a_supplier(service, "SUP-F")
    columns = {"received_on": "Received", "net": "Net £", "supplier_reference": "Supplier", "number": "Invoice No"}
    first = await imported(
        service, _file(LAYOUT, "SUP-F,INV-1,03/02/2026,1500"), mapping={"columns": columns, "amounts": "pounds"}
    )
    assert first["net_pence_sum"] == 150_000
    same = await imported(service, _file(LAYOUT, "SUP-F,INV-2,03/02/2026,1500"))
    assert (same["net_pence_sum"], same["mapping"], same["reading"]["mapping"]["amounts"]) == (150_000, None, "pounds")
    other = await imported(service, _file(LAYOUT, "SUP-F,INV-3,03/02/2026,1500"), mapping={"amounts": "pence"})
    assert other["net_pence_sum"] == 1_500


async def test_a_body_and_a_month_for_the_whole_file_and_kinds_in_the_senders_words(service: Harness) -> None:
    await a_supplier(service, "SUP-K")
    body = _file("Supplier No,Invoice No,Month,Type,Net £", "SUP-K,K1,Mar-25,PI,100.00", "SUP-K,K2,Mar-25,ADJ,-20.00")
    mapping = {
        "columns": {"received_on": "Month", "kind": "Type"}, "amounts": "pounds", "month_day": "last",
        "kinds": {"PI": "invoice", "ADJ": "credit_note"}, "constants": {"department": "Housing"},
    }  # fmt: skip
    seen = await _preview(service, body, mapping=mapping)
    assert [(one["kind"], one["received_on"], one["department"]) for one in seen["records"]] == [
        ("invoice", "2025-03-31", "housing"),
        ("credit_note", "2025-03-31", "housing"),
    ]
    by_sign = {**mapping, "columns": {"received_on": "Month"}, "kinds": "by_sign", "month_day": 15}
    seen = await _preview(service, body, mapping=by_sign)
    assert [(one["kind"], one["received_on"]) for one in seen["records"]] == [
        ("invoice", "2025-03-15"),
        ("credit_note", "2025-03-15"),
    ]
    dated = _file("Payee,Amount", "Sample Fuels Ltd,60.00")
    constants = {"paid_on": "2026-02-28", "body": "Sample Council"}
    seen = await _preview(service, dated, **spend(), mapping={"constants": constants})
    assert [(one["paid_on"], one["net_pence"]) for one in seen["records"]] == [("2026-02-28", 6_000)]


async def test_values_of_the_whole_file_that_make_no_sense_are_refused(service: Harness) -> None:
    wrong = {
        "constants.received_on": {"constants": {"received_on": "soon"}},
        "constants.net": {"constants": {"net": "100"}},
        "constants.department": {"constants": {"department": "Housing"}, "columns": {"department": "Dept"}},
        "date_order.body": {"date_order": {"body": "dmy"}},
    }
    async with service.as_("payments_assistant") as officer:
        for field, mapping in wrong.items():
            query = {"filename": "a.csv", "source_system": "erp", "mapping": json.dumps(mapping)}
            answer = await officer.post("/v1/invoice-imports/previews", params=query, content=b"x")
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json()["errors"]] == [f"mapping.{field}"]
