"""A file is read only when it is understood: what could mean two things is asked, and nothing is read in silence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from council_common.testing.harness import Harness
from invoice_stories import a_supplier, fresh_job, history_of, imported, line_counts, shown, spend, uploaded
from supplier_stand_in import supplier_service

POUNDS = {"amounts": "pounds"}


async def _spend(service: Harness, *lines: str, **params: Any) -> dict[str, Any]:
    async with supplier_service(service):
        return await imported(service, _file(*lines), **spend(unknown_suppliers="register"), **params)


async def _invoices_of(service: Harness, import_: dict[str, Any]) -> list[dict[str, Any]]:
    async with service.as_("payments_assistant") as officer:
        found = await officer.get("/v1/invoices", params={"import_id": import_["id"]})
    items: list[dict[str, Any]] = sorted(found.json()["items"], key=lambda invoice: invoice["line_number"])
    return items


def _file(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    "lines",
    [
        (
            "Body Name,Payment Date,Supplier Name,Transaction No.,Net Amount",
            "Sample Borough Council,2025-04-08,Example Fuels Ltd,4600001,60.52",
        ),
        (
            "Department family,Entity,Date of payment,Expense type,Expense area,Supplier,Transaction number,"
            "Amount in Sterling",
            "Sample Department,Sample Trust,22/05/2025,Print,Works,Example Print Ltd,13000001,60.52",
        ),
        ("Date,Directorate,Supplier,Amount", "08/04/2025,Housing,Example Roofing Ltd,60.52"),
        (
            "Organisation Name,Payment Date,Transaction Number,Supplier Name,Net Amount,Irrecoverable VAT",
            "Sample Council,08/04/2025,T1,Example Roofing Ltd,60.52,Nil",
        ),
    ],
    ids=["A1 transaction no", "A4 amount in sterling", "A5 no transaction number", "B1 nil"],
)
async def test_known_columns_by_other_names(service: Harness, lines: tuple[str, ...]) -> None:
    done = await _spend(service, *lines)
    assert (done["status"], line_counts(done), done["net_pence_sum"]) == ("done", (1, 0, 0, 0), 6_052)


async def test_b2_words_for_no_amount_are_blank_where_an_amount_is_optional(service: Harness) -> None:
    words = (" -   ", "-", "£-", "n/a", "None", "No", "Nil", "–")
    lines = [f"Sample Council,08/04/2025,T{place},Example Ltd,750.00,{word}" for place, word in enumerate(words)]
    header = "Organisation Name,Payment Date,Transaction Number,Supplier Name,Net Amount,VAT"
    done = await _spend(service, header, *lines)
    assert line_counts(done) == (len(words), 0, 0, 0)
    required = await _spend(service, header, "Sample Council,08/04/2025,T9,Example Ltd,None,1.00")
    assert line_counts(required) == (0, 0, 1, 0)


async def test_c1_one_date_that_has_the_month_first_says_so_for_the_column(service: Harness) -> None:
    done = await _spend(
        service,
        "Entity,Date,Supplier,Transaction Number,Amount",
        "Sample Trust,8/3/2025,Example Pharma Ltd,T2,200.00",
        "Sample Trust,8/24/2025,Example Pharma Ltd,T1,100.00",
        "Sample Trust,8/11/2025,Example Pharma Ltd,T3,300.00",
    )
    assert done["reading"]["date_orders"] == {"paid_on": "mdy"}
    assert done["reading"]["columns"]["paid_on"] == {"name": "Date", "number": 2, "found_by": "name"}
    dates = [invoice["paid_on"] for invoice in await _invoices_of(service, done)]
    assert dates == ["2025-08-03", "2025-08-24", "2025-08-11"]


async def test_c2_of_invoices_too(service: Harness) -> None:
    await a_supplier(service, "SUP-C")
    lines = (
        "supplier_reference,number,received_on,net_amount",
        "SUP-C,INV-1,2/24/2026,100.00",
        "SUP-C,INV-2,2/3/2026,2",
    )
    done = await imported(service, _file(*lines), mapping=POUNDS)
    assert [one["received_on"] for one in await _invoices_of(service, done)] == ["2026-02-24", "2026-02-03"]


SPREAD = ("Date,Supplier,Amount", "3/2/2025,A Ltd,1.00", "3/7/2025,A Ltd,2.00", "3/11/2025,A Ltd,3.00")


@pytest.mark.parametrize(
    "lines",
    [("Date,Supplier,Amount", "24/08/2025,A Ltd,1.00", "8/24/2025,A Ltd,2.00"), SPREAD],
    ids=["contradictory", "one month only if read the other way"],
)
async def test_dates_that_could_be_either_are_asked_about_and_nothing_is_stored(
    service: Harness, lines: tuple[str, ...]
) -> None:
    asked = await _spend(service, *lines)
    assert (asked["status"], line_counts(asked)) == ("in_doubt", (0, 0, 0, 0))
    [doubt] = asked["doubts"]
    assert (doubt["field"], doubt["candidates"]) == ("paid_on", ["dmy", "mdy"])
    assert await _invoices_of(service, asked) == []


async def test_the_answer_to_a_doubt_lets_the_import_go_on(service: Harness) -> None:
    asked = await _spend(service, *SPREAD)
    path = f"/v1/invoice-imports/{asked['id']}"
    async with service.as_("payments_assistant") as officer:
        in_doubt = (await officer.get("/v1/invoice-imports", params={"status": "in_doubt"})).json()["items"]
        failed = (await officer.get("/v1/invoice-imports", params={"status": "failed"})).json()["items"]
        assert ([one["id"] for one in in_doubt], failed) == ([asked["id"]], [])
        body = {"mapping": {"date_order": "mdy"}, "note": "The trust writes the month first."}
        answered = await officer.post(f"{path}/answers", json=body)
        assert (answered.status_code, answered.json()["status"]) == (202, "waiting")
        again = await officer.post(f"{path}/answers", json=body)
        assert (again.status_code, again.json()["code"]) == (409, "import-not-in-doubt")
        unknown = await officer.post(f"{path}/answers", json={**body, "mapping": {"columns": {"vat_rate": "x"}}})
        assert unknown.status_code == 422
    async with supplier_service(service):
        await service.run_job(fresh_job())
    done = await shown(service, path)
    assert (done["status"], done["doubts"], line_counts(done)) == ("done", [], (3, 0, 0, 0))
    dates = {date.fromisoformat(invoice["paid_on"]).month for invoice in await _invoices_of(service, done)}
    assert dates == {3}
    assert "doubts answered" in [change["action"] for change in await history_of(service, path)]


async def test_a6_two_columns_of_one_name_are_asked_about_and_named_by_number(service: Harness) -> None:
    lines = (
        "Body Name,Payment Date,Supplier Name,Supplier Name,Transaction Number,Net Amount",
        "Sample Borough Council,2025-04-08,1001,Example Fuels Ltd,4600001,60.52",
    )
    asked = await _spend(service, *lines)
    assert (asked["status"], asked["doubts"][0]["candidates"]) == ("in_doubt", ["3", "4"])
    done = await _spend(service, *lines, mapping={"columns": {"supplier_name": 4, "supplier_reference": 3}})
    assert line_counts(done) == (1, 0, 0, 0)
    reading = done["reading"]["columns"]
    assert (reading["supplier_name"]["number"], reading["supplier_reference"]["number"]) == (4, 3)


async def test_d1_one_column_for_two_fields_needs_saying_so(service: Harness) -> None:
    await a_supplier(service, "SUP-77")
    columns = {
        **{"received_on": "Paid", "paid_on": "Paid", "net": "Net £", "supplier_reference": "Supplier"},
        "number": "Invoice No",
    }
    body = _file("Supplier,Invoice No,Paid,Net £", "SUP-77,INV-5001,02/03/2026,60.52")
    refused = await imported(service, body, mapping={**POUNDS, "columns": columns})
    error = refused["progress"]["error"]
    assert (refused["status"], error["code"]) == ("failed", "one-column-for-two-fields")
    assert "'Paid'" in error["detail"] and "shared" in error["expected"]
    said = await imported(service, body, mapping={**POUNDS, "columns": columns, "shared": ["Paid"]})
    [invoice] = await _invoices_of(service, said)
    assert (invoice["status"], invoice["paid_on"], invoice["received_on"]) == ("paid", "2026-03-02", "2026-03-02")


async def test_d2_a_column_that_the_mapping_names_and_the_file_lacks_fails_the_file(service: Harness) -> None:
    columns = {
        **{"received_on": "Received", "net": "Net £", "supplier_reference": "Supplier", "number": "Invoice No"},
        "vat": "VAT Amount",
    }
    body = _file("Supplier,Invoice No,Received,Net £,VAT £", "SUP-77,INV-5002,08/02/2026,100.00,20.00")
    refused = await imported(service, body, mapping={**POUNDS, "columns": columns})
    error = refused["progress"]["error"]
    assert (refused["status"], error["code"]) == ("failed", "named-column-missing")
    assert "'VAT Amount'" in error["detail"] and "'VAT £'" in error["detail"]


async def test_f8_named_columns_of_amounts_are_pounds_or_pence_only_if_somebody_says_so(service: Harness) -> None:
    await a_supplier(service, "SUP-F")
    body = _file("Supplier,Invoice No,Received,Net £", "SUP-F,INV-951,03/02/2026,1500")
    columns = {"received_on": "Received", "net": "Net £", "supplier_reference": "Supplier", "number": "Invoice No"}
    asked = await imported(service, body, mapping={"columns": columns})
    assert (asked["status"], asked["doubts"][0]["candidates"]) == ("in_doubt", ["pounds", "pence"])
    for amounts, pence in (("pounds", 150_000), ("pence", 1_500)):
        answer = await uploaded(service, body, mapping={"columns": columns, "amounts": amounts}, source_system=amounts)
        await service.run_job(fresh_job())
        assert (await shown(service, answer.headers["location"]))["net_pence_sum"] in (pence, 0)


async def test_an_answer_leaves_the_columns_that_were_named_before(service: Harness) -> None:
    """The file has a column of a name that we know, and it is not the one that was named."""
    await a_supplier(service, "SUP-F")
    body = _file("supplier_number,invoice_no,received_date,net_amount,Cost", "SUP-F,INV-953,03/02/2026,9999,15.00")
    asked = await imported(service, body, mapping={"columns": {"net": "Cost"}})
    path = f"/v1/invoice-imports/{asked['id']}"
    async with service.as_("payments_assistant") as officer:
        answer = {"mapping": POUNDS, "note": "Pounds, as the supplier says."}
        assert (await officer.post(f"{path}/answers", json=answer)).status_code == 202
    await service.run_job(fresh_job())
    done = await shown(service, path)
    assert (done["status"], done["net_pence_sum"], done["mapping"]["columns"]) == ("done", 1_500, {"net": ["Cost"]})


async def test_a_column_called_pence_is_pence(service: Harness) -> None:
    await a_supplier(service, "SUP-F")
    body = _file("Supplier,Invoice No,Received,Net in pence", "SUP-F,INV-952,03/02/2026,1500")
    columns = {
        "received_on": "Received",
        "net": "Net in pence",
        "supplier_reference": "Supplier",
        "number": "Invoice No",
    }
    done = await imported(service, body, mapping={"columns": columns})
    assert (done["status"], done["net_pence_sum"]) == ("done", 1_500)
