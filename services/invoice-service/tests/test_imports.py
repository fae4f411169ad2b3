import asyncio
import csv
import io
import json
from typing import Any

import openpyxl
import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.testing.harness import Harness
from invoice_stories import (
    HEADER,
    a_file,
    a_line,
    a_supplier,
    fresh_job,
    history_of,
    imported,
    line_counts,
    shown,
    stopped,
    uploaded,
)


async def test_a_file_of_invoices_is_imported(racing_service: Harness) -> None:
    supplier_id = await a_supplier(racing_service)
    body = a_file(*(a_line(number) for number in range(1, 6)))
    answer = await uploaded(racing_service, body)
    waiting = answer.json()
    assert (answer.status_code, waiting["status"], waiting["progress"]["share"]) == (202, "waiting", 0.0)
    assert (waiting["bytes"], waiting["format"], waiting["progress"]["total"]) == (len(body), "csv", len(body))
    assert (waiting["progress"]["unit"], waiting["progress"]["requested_by_name"]) == ("bytes", "payments_assistant")
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, answer.headers["location"])
    assert (done["status"], done["progress"]["share"], done["lines_read"], line_counts(done)) == (
        "done",
        1.0,
        5,
        (5, 0, 0, 0),
    )
    assert (done["net_pence_sum"], done["progress"]["error"]) == (50_000, None)
    assert (done["progress"]["done"], done["progress"]["finished_at"]) == (len(body), "2026-03-11T09:30:00Z")
    events = await racing_service.published()
    assert [type(event) for event in events] == [InvoiceReceivedV1] * 5
    assert {(event.source.reference, event.supplier_id, event.gross_pence) for event in events} == {
        (f"R{number}", supplier_id, 12_000) for number in range(1, 6)
    }
    page = await shown(racing_service, f"/v1/invoices?import_id={done['id']}&sort=id")
    first = page["items"][0]
    assert (first["number"], first["line_number"], first["status"], first["due_on"]) == (
        "A-1", 2, "received", "2026-03-04",
    )  # fmt: skip
    assert first["lines"] == [
        {"description": "", "net_pence": 10_000, "vat_rate": "20", "vat_pence": 2_000, "department": "Parks"}
    ]
    [change] = await history_of(racing_service, f"/v1/invoices/{first['id']}")
    assert change["detail"]["line_number"] == 2
    history = await history_of(racing_service, f"{answer.headers['location']}")
    assert [(change["action"], change["by"]) for change in history] == [
        ("received", done["received_by"]), ("done", "system"),
    ]  # fmt: skip
    assert done["amount_basis"] is None
    listed = await shown(racing_service, f"/v1/invoice-imports?status=done&sha256={done['sha256']}")
    assert [import_["id"] for import_ in listed["items"]] == [done["id"]]


async def test_ndjson_and_its_refused_lines(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    records: list[Any] = [
        {"source": {"reference": "N1"}, "supplier": {"reference": "S1"}, "number": "1", "received_on": "2026-02-03",
         "net_pence": 10_000, "vat_pence": 500, "description": "Café “A”"},
        {"reference": "N2", "supplier_reference": "S8", "number": "2", "received_on": "2026-02-03", "net_pence": 5},
        {"reference": "N3", "supplier_reference": "S1", "number": "3", "received_on": "2026-02-03", "net_pence": 5.5},
    ]  # fmt: skip
    body = "\n".join([*map(json.dumps, records), "no json"]).encode()
    done = await imported(racing_service, body, filename="file.ndjson")
    assert line_counts(done) == (1, 0, 3, 0)
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"/v1/invoice-imports/{done['id']}/refusals.ndjson")
    refused = [json.loads(line) for line in download.text.splitlines()]
    assert [one["_line"] for one in refused] == [2, 3, 4]
    await a_supplier(racing_service, "S8")
    again = await imported(racing_service, download.content.replace(b"5.5", b"55"), filename="again.ndjson")
    assert line_counts(again) == (2, 0, 1, 0)
    [invoice] = (await shown(racing_service, "/v1/invoices?number=1"))["items"]
    assert (invoice["lines"][0]["description"], invoice["lines"][0]["vat_rate"]) == ("Café “A”", "5")


async def test_a_senders_own_columns_and_a_workbook(racing_service: Harness) -> None:
    await a_supplier(racing_service, "1001", system="sap")
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Vendor", "Doc", "Received", "Net £", "VAT £", "Settled"])
    sheet.append([1001, "INV 7", "04/27/2026", 10.1, 2.02, None])
    sheet.append([1001, "INV 8", "02/13/2026", 12.5, 2.5, "03/01/2026"])
    file = io.BytesIO()
    book.save(file)
    mapping = {
        "columns": {
            "supplier_reference": "Vendor", "number": ["Belegnummer", "Doc"], "received_on": "Received",
            "net": "Net £", "vat": "VAT £", "paid_on": "Settled",
        },
        "date_order": "mdy",
        "amounts": "pounds",
    }  # fmt: skip
    done = await imported(racing_service, file.getvalue(), filename="a.xlsx", supplier_system="sap", mapping=mapping)
    assert line_counts(done) == (1, 0, 1, 0), done
    [paid] = (await shown(racing_service, "/v1/invoices?historic=true"))["items"]
    assert (paid["status"], paid["paid_on"], paid["outstanding_pence"]) == ("paid", "2026-03-01", 0)
    assert (paid["source"]["reference"], paid["gross_pence"]) == ("1001/INV 8", 1_500)
    [event] = await racing_service.published(InvoiceReceivedV1)
    assert (event.historic, str(event.paid_on), event.status) == (True, "2026-03-01", "paid")
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"/v1/invoice-imports/{done['id']}/refusals.csv")
    again = await imported(
        racing_service,
        download.content.replace(b"04/27/2026", b"02/27/2026"),
        supplier_system="sap",
        mapping=mapping,
    )
    assert line_counts(again) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("body", "filename", "code"),
    [
        (b"colour,size\r\nred,4\r\n", "a.csv", "missing-columns"),
        (b"PK\x03\x04 no archive", "a.xlsx", "damaged-workbook"),
        (b"[1, 2]", "a.ndjson", "json-array"),
        (b"\r\n\r\n", "a.csv", "empty-file"),
    ],
)
async def test_a_file_that_cannot_be_read_fails(racing_service: Harness, body: bytes, filename: str, code: str) -> None:
    done = await imported(racing_service, body, filename=filename)
    assert (done["status"], done["progress"]["error"]["code"], line_counts(done)) == ("failed", code, (0, 0, 0, 0))
    assert done["progress"]["error"]["expected"]
    async with racing_service.as_("payments_assistant") as assistant:
        again = await assistant.post(f"/v1/invoice-imports/{done['id']}/resumptions", json={"note": "Try again."})
    assert (again.status_code, again.json()["code"]) == (409, "long-work-failed-for-good")


async def test_encodings_marks_and_repeated_headers(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    lines = [a_line(number, department="Café") for number in (1, 2)]
    text = "\r\n".join([HEADER, lines[0], HEADER, lines[1], ",,,,,,,,"])
    for body in (b"\xef\xbb\xbf\xef\xbb\xbf" + text.encode(), text.encode("cp1252"), text.encode("latin-1")):
        done = await imported(racing_service, body)
        assert done["lines_skipped"] == 2
        assert done["lines_accepted"] + done["lines_existing"] == 2
    page = await shown(racing_service, "/v1/invoices?department=Caf%C3%A9")
    assert len(page["items"]) == 2
    cr_only = await imported(racing_service, text.encode().replace(b"\r\n", b"\r"))
    assert line_counts(cr_only) == (0, 2, 0, 2)


async def test_parameters_that_are_invalid(service: Harness) -> None:
    for params in (
        {"filename": "a.pdf"},
        {"filename": "a.csv", "mapping": {"columns": {"colour": "x"}}},
        {"filename": "a.csv", "profile": "published_spend", "mapping": {"columns": {"vat_rate": "x"}}},
        {"filename": "a.csv", "profile": "poems"},
        {"filename": "a.csv", "source_system": ""},
        {"filename": "a.csv", "source_system": " "},
        {"filename": "a.csv", "source_system": "a\x7f"},
        {"filename": "a.csv", "supplier_system": "a\x07"},
        {"filename": "a.csv", "mapping": {"columns": {"number": "a\0"}}},
    ):
        answer = await uploaded(service, b"x", **params)
        assert answer.status_code == 422, params
    empty = await uploaded(service, b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "empty-file")


@pytest.mark.parametrize(
    ("mapping", "field", "problem", "expected"),
    [
        ("", "mapping", "not JSON", "JSON (RFC 8259)"),
        ("[]", "mapping", "not an object", "an object"),
        ('{"columns": 1}', "mapping.columns", "not an object", "an object"),
        ('{"columns": {"colour": "x"}}', "mapping.columns.colour", "its name is wrong", "'reference', "),
        ('{"columns": {"number": {}}}', "mapping.columns.number.0", "not text", "text"),
        ('{"columns": {"number": ""}}', "mapping.columns.number.0", "too short", "at least 1 character"),
        ('{"amounts": "euros"}', "mapping.amounts", "none of the known values", "'pence' or 'pounds'"),
        ('{"colour": 1}', "mapping.colour", "no field of this resource", "only the fields of this resource"),
    ],
)
async def test_a_mapping_that_is_invalid_is_refused_in_words(
    service: Harness, mapping: str, field: str, problem: str, expected: str
) -> None:
    query = {"filename": "a.csv", "source_system": "erp", "mapping": mapping}
    async with service.as_("payments_assistant") as assistant:
        answer = await assistant.post("/v1/invoice-imports", params=query, content=b"x")
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert error["problem"].startswith(problem)
    assert error["expected"].startswith(expected)


async def test_a_file_without_a_column_may_name_its_own(racing_service: Harness) -> None:
    done = await imported(racing_service, b"colour,size\r\nred,4\r\n")
    assert "or mapping={...} with the name that the file has for it" in done["progress"]["error"]["expected"]


async def test_a_system_is_the_same_with_a_space_behind_it(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    assert line_counts(await imported(racing_service, a_file(a_line(1)))) == (1, 0, 0, 0)
    assert line_counts(await imported(racing_service, a_file(a_line(1)), source_system=" erp ")) == (0, 1, 0, 0)


async def test_lists_take_no_nul(service: Harness) -> None:
    async with service.as_("auditor") as auditor:
        for query in ("source_system=%00", "sha256=%00", "sha256=abc"):
            answer = await auditor.get(f"/v1/invoice-imports?{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), query


async def test_who_may_not_register_suppliers_does_not_by_a_file(service: Harness) -> None:
    token = service.issuer.token("erp", "feeder", scope="invoices:write")
    params = {"filename": "a.csv", "source_system": "erp", "unknown_suppliers": "register"}
    async with service.client({"authorization": f"Bearer {token}"}) as machine:
        refused = await machine.post("/v1/invoice-imports", params=params, content=a_file(a_line(1)))
        params["unknown_suppliers"] = "refuse"
        accepted = await machine.post("/v1/invoice-imports", params=params, content=a_file(a_line(1)))
    assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["suppliers:write"])
    assert accepted.status_code == 202, accepted.text


async def test_an_upload_with_a_key_is_one_import(racing_service: Harness) -> None:
    body = a_file(a_line(1))
    answers = await asyncio.gather(*(uploaded(racing_service, body, key="u1") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await uploaded(racing_service, body + b"x", key="u1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_an_import_is_cancelled(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    answer = await uploaded(racing_service, a_file(a_line(1)))
    path = answer.headers["location"]
    async with racing_service.as_("payments_assistant") as assistant:
        unexplained = await assistant.post(f"{path}/cancellations", json={})
    assert (unexplained.status_code, unexplained.json()["errors"][0]["field"]) == (422, "note")
    done, twice = await stopped(racing_service, path), await stopped(racing_service, path)
    assert (done.status_code, done.json()["status"]) == (201, "cancelled")
    assert (twice.status_code, twice.json()["code"]) == (409, "illegal-move")
    await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, path))["lines_read"] == 0
    history = await history_of(racing_service, f"{path}")
    assert [(change["version"], change["action"], change["by_name"]) for change in history] == [
        (1, "received", "payments_assistant"), (2, "cancelled", "payments_assistant"),
    ]  # fmt: skip
    assert history[1]["detail"] == {"note": "It is the wrong month."}
    assert (done.headers["location"], done.headers["etag"]) == (path, '"2"')


async def test_imports_are_exported_with_their_status(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(a_line(1)))
    await uploaded(racing_service, a_file(a_line(2)), filename="later.csv")
    async with racing_service.as_("auditor") as auditor:
        answer = await auditor.get("/v1/invoice-imports/export.csv?sort=id")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["filename"], row["status"], row["net_pounds"]) for row in rows] == [
        ("file.csv", "done", "100.00"), ("later.csv", "waiting", "0.00"),
    ]  # fmt: skip


REFUSED_CELLS = ["two\nlines", 'a "quote", and a comma', "=1+1", "'s-Hertogenbosch", "\uff1dSUM(A1)", "'=kept"]


@pytest.mark.parametrize("department", REFUSED_CELLS)
async def test_refusals_csv_keeps_every_cell_on_the_way_back(racing_service: Harness, department: str) -> None:
    """Refused by the reading (a bad date) and by what stands here (an unknown supplier)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    for number, (issued_on, supplier) in enumerate([("never", "S1"), ("2026-02-01", "S9")]):
        cells = a_line(number, supplier=supplier, issued_on=issued_on).split(",")
        writer.writerow([*cells[:-1], department])
    await a_supplier(racing_service)
    done = await imported(racing_service, out.getvalue().encode())
    assert line_counts(done) == (0, 0, 2, 0), done
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"/v1/invoice-imports/{done['id']}/refusals.csv")
    await a_supplier(racing_service, "S9")
    again = await imported(racing_service, download.content.replace(b"never", b"2026-02-01"))
    assert line_counts(again) == (2, 0, 0, 0), again
    stored = (await shown(racing_service, "/v1/invoices"))["items"]
    assert [invoice["lines"][0]["department"] for invoice in stored] == [" ".join(department.split())] * 2
