import asyncio
import io
import json
from typing import Any

import openpyxl
import pytest
from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1
from council_common.testing.harness import NOW, Harness
from invoice_stories import (
    HEADER,
    a_file,
    a_line,
    a_payment,
    a_supplier,
    an_invoice,
    fresh_job,
    imported,
    received,
    shown,
    uploaded,
)


def _counts(import_: dict[str, Any]) -> tuple[int, ...]:
    return tuple(import_[f"lines_{name}"] for name in ("accepted", "existing", "refused", "skipped"))


async def test_a_file_of_invoices_is_imported(racing_service: Harness) -> None:
    supplier_id = await a_supplier(racing_service)
    body = a_file(*(a_line(number) for number in range(1, 6)))
    answer = await uploaded(racing_service, body)
    queued = answer.json()
    assert (answer.status_code, queued["status"], queued["progress"]) == (202, "queued", 0.0)
    assert (queued["bytes"], queued["format"]) == (len(body), "csv")
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, answer.headers["location"])
    assert (done["status"], done["progress"], done["lines_read"], _counts(done)) == ("done", 1.0, 5, (5, 0, 0, 0))
    assert (done["net_pence_sum"], done["error"]) == (50_000, None)
    events = await racing_service.published()
    assert [type(event) for event in events] == [InvoiceReceivedV1] * 5
    assert {(event.source.reference, event.supplier_id, event.gross_pence) for event in events} == {
        (f"R{number}", supplier_id, 12_000) for number in range(1, 6)
    }
    page = await shown(racing_service, f"/v1/invoices?import_id={done['id']}&sort=number")
    first = page["items"][0]
    assert (first["number"], first["line_number"], first["status"], first["due_on"]) == (
        "A-1", 2, "received", "2026-03-04",
    )  # fmt: skip
    assert first["lines"] == [
        {"description": "", "net_pence": 10_000, "vat_rate": "20", "vat_pence": 2_000, "department": "Parks"}
    ]
    [change] = await shown(racing_service, f"/v1/invoices/{first['id']}/history")
    assert change["detail"]["line_number"] == 2
    history = await shown(racing_service, f"{answer.headers['location']}/history")
    assert [(change["action"], change["by"]) for change in history] == [
        ("received", done["received_by"]), ("done", "system"),
    ]  # fmt: skip
    assert done["amount_basis"] is None
    listed = await shown(racing_service, f"/v1/invoice-imports?status=done&sha256={done['sha256']}")
    assert [each["id"] for each in listed["items"]] == [done["id"]]


REFUSED = (
    (a_line(2, supplier="S9"), "unknown-supplier", "supplier_reference"),
    (a_line(3, gross_pence=1), "sums-differ", "gross"),
    (a_line(4, received_on="2026-03-12"), "date-in-future", "received_on"),
    (a_line(5, net_pence="12.50"), "not-pence", "net"),
    (a_line(6, net=-5_000), "negative-invoice", "gross"),
    (a_line(7, received_on="31/02/2026"), "not-a-calendar-day", "received_on"),
    (a_line(8, number=""), "missing-value", "number"),
    (a_line(9, vat_pence=1_234, gross_pence=11_234), "missing-value", "vat_rate"),
    (a_line(12, reference="R\x01"), "control-character", "reference"),
    (a_line(10) + ",too,many", "too-many-fields", ""),
)


async def test_refused_lines_are_downloaded_corrected_and_sent_again(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    body = a_file(a_line(1), *(line for line, _, _ in REFUSED), a_line(11))
    done = await imported(racing_service, body)
    assert _counts(done) == (2, 0, len(REFUSED), 0)
    base = f"/v1/invoice-imports/{done['id']}"
    refusals = (await shown(racing_service, f"{base}/refusals"))["items"]
    assert [(one["line_number"], one["code"], one["field"]) for one in refusals] == [
        (number, code, field) for number, (_, code, field) in enumerate(REFUSED, start=3)
    ]
    assert all(one["problem"] and one["expected"] for one in refusals)
    assert [one["raw"] for one in refusals] == [line for line, _, _ in REFUSED]
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"{base}/refusals.csv")
        other = await auditor.get(f"{base}/refusals.ndjson")
    assert (other.status_code, other.json()["code"]) == (409, "refusals-in-other-format")
    lines = download.content.decode("utf-8-sig").splitlines()
    assert lines[0] == f"_line,_field,_problem,{HEADER}"
    await a_supplier(racing_service, "S9")
    corrected = download.content.replace(b"12.50", b"10000").replace(b",too,many", b"")
    again = await imported(racing_service, corrected)
    assert _counts(again) == (3, 0, len(REFUSED) - 3, 0)
    page = await shown(racing_service, f"/v1/invoices?import_id={again['id']}&sort=received_on")
    assert sorted(each["line_number"] for each in page["items"]) == [3, 6, 12]
    once_more = await imported(racing_service, corrected)
    assert _counts(once_more) == (0, 3, len(REFUSED) - 3, 0)
    assert len(await racing_service.published(InvoiceReceivedV1)) == 5


async def test_the_same_file_again_adds_nothing_and_other_content_is_refused(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    body = a_file(a_line(1), a_line(2))
    await imported(racing_service, body)
    again = await imported(racing_service, body, filename="renamed.csv")
    assert (_counts(again), again["net_pence_sum"]) == ((0, 2, 0, 0), 20_000)
    changed = await imported(racing_service, a_file(a_line(1), a_line(2, net=20_000), a_line(3), a_line(3)))
    assert _counts(changed) == (1, 2, 1, 0)
    [refused] = (await shown(racing_service, f"/v1/invoice-imports/{changed['id']}/refusals"))["items"]
    assert refused["code"] == "invoice-source-reference-taken"
    assert len(await racing_service.published()) == 3


async def test_a_line_and_a_post_can_be_the_same_invoice(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    lines = [{"description": "", "net_pence": 10_000, "vat_rate": "20.0", "vat_pence": 2_000, "department": "Parks"}]
    posted = an_invoice(
        "A-1", reference="R1", purchase_order_number=None, issued_on="2026-02-01", received_on="2026-02-03",
        lines=lines, net_pence=10_000, vat_pence=2_000, gross_pence=12_000,
    )  # fmt: skip
    async with racing_service.as_("erp") as erp:
        assert (await erp.post("/v1/invoices", json=posted)).status_code == 201
        assert _counts(await imported(racing_service, a_file(a_line(1)))) == (0, 1, 0, 0)
        assert (await erp.post("/v1/invoices", json=posted)).status_code == 200


PAID_HEADER = f"{HEADER},paid_on"


def _paid(number: int, paid_on: str = "", **other: Any) -> str:
    return f"{a_line(number, **other)},{paid_on}"


async def test_a_payment_is_not_lost_in_a_line_that_is_known(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(_paid(1), _paid(2, "2026-03-01"), header=PAID_HEADER))
    lines = (
        _paid(1, "2026-03-01"), _paid(2), _paid(2, "2026-03-02"),  # told otherwise before
        _paid(1), _paid(2, "2026-03-01"),  # as before
    )  # fmt: skip
    again = await imported(racing_service, a_file(*lines, header=PAID_HEADER))
    assert _counts(again) == (0, 2, 3, 0)
    refusals = (await shown(racing_service, f"/v1/invoice-imports/{again['id']}/refusals"))["items"]
    assert [(one["line_number"], one["code"], one["field"]) for one in refusals] == [
        (2, "invoice-known-unpaid", "paid_on"),
        (3, "invoice-known-paid", "paid_on"),
        (4, "invoice-known-paid", "paid_on"),
    ]


async def test_an_open_invoice_that_was_paid_since_is_known_either_way(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(_paid(1), header=PAID_HEADER))
    [invoice] = (await shown(racing_service, "/v1/invoices?source_reference=R1"))["items"]
    async with racing_service.as_("ap_manager") as manager, racing_service.as_("erp") as erp:
        await manager.post(f"/v1/invoices/{invoice['id']}/approvals")
        assert (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=12_000))).status_code == 201
    again = await imported(
        racing_service, a_file(_paid(1), _paid(1, "2026-03-11"), _paid(1, "2026-03-10"), header=PAID_HEADER)
    )
    assert _counts(again) == (0, 2, 1, 0)


async def test_lines_of_a_supplier_that_ended_are_known_or_refused(racing_service: Harness) -> None:
    supplier_id = await a_supplier(racing_service)
    await imported(racing_service, a_file(a_line(1)))
    await racing_service.deliver(
        SupplierChangedV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, changed=["status"],
                          payment_terms_days=30, status="closed")
    )  # fmt: skip
    again = await imported(racing_service, a_file(a_line(1), a_line(2)))
    assert _counts(again) == (0, 1, 1, 0)


async def test_a_nul_or_a_far_date_refuses_its_line_only(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    header = f"{HEADER},due_on,vat_rate"
    bad = [
        a_line(2, number="A\0-2") + ",,20",
        f"{a_line(3, received_on='9999-12-31')},2026-03-01,20",
        f"{a_line(4)},9999-12-31,20",
        f"{a_line(5)},,5",  # £20.00 of VAT on £100.00
        f"{a_line(6, vat_pence=-2_000, gross_pence=8_000)},,20",
        a_line(7, supplier="S1\x07") + ",,20",
    ]
    lines = [f"{a_line(number)},," for number in (1, 8, *range(10, 30))]
    body = a_file(lines[0], *bad, *lines[1:], header=header.replace("department", "dep\0artment"))
    done = await imported(racing_service, body)
    assert (done["status"], _counts(done)) == ("done", (len(lines), 0, len(bad), 0))
    refusals = (await shown(racing_service, f"/v1/invoice-imports/{done['id']}/refusals"))["items"]
    assert [(one["line_number"], one["code"], one["field"]) for one in refusals] == [
        (3, "nul-byte", ""),
        (4, "date-in-future", "received_on"),
        (5, "dates-out-of-order", "due_on"),
        (6, "vat-beyond-rate", "vat"),
        (7, "vat-beyond-rate", "vat"),
        (8, "control-character", "supplier_reference"),
    ]
    assert "A\u2400-2" in refusals[0]["raw"]
    broken = "\n".join([*["{}"] * 60, '{"number": "A\0"}'])
    ndjson = await imported(racing_service, broken.encode(), filename="a.ndjson")
    assert (ndjson["status"], _counts(ndjson)) == ("done", (0, 0, 61, 0))


async def test_a_file_of_another_kind_loses_no_line(racing_service: Harness) -> None:
    """Nobody writes totals into a file of invoices: a line with nothing but an amount is a broken one."""
    await a_supplier(racing_service)
    done = await imported(racing_service, a_file(a_line(1), ",,,,,5000,,,", ",,Total,,,700,,,", ",,,,,,,,"))
    assert (_counts(done), done["file_total_pence"]) == ((1, 0, 2, 1), None)


async def test_references_are_made_of_supplier_and_number(racing_service: Harness) -> None:
    for reference in ("A/1", "A"):
        await a_supplier(racing_service, reference)
    body = a_file(
        a_line(1, supplier="A/1", reference="", number="2"), a_line(2, supplier="A", reference="", number="1/2")
    )
    done = await imported(racing_service, body)
    assert _counts(done) == (2, 0, 0, 0)
    page = await shown(racing_service, "/v1/invoices?sort=number")
    assert [each["source"]["reference"] for each in page["items"]] == ["A/1/2", "A%2F1/2"]


async def test_duplicates_in_a_file_and_against_the_database_are_held(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    first = await received(racing_service, number="A-1")
    body = a_file(a_line(1), a_line(2), a_line(3, number="a. 2", reference="X"), a_line(4, number="7"))
    done = await imported(racing_service, body)
    assert _counts(done) == (4, 0, 0, 0)
    held = (await shown(racing_service, "/v1/invoices?held=true&sort=number"))["items"]
    second = (await shown(racing_service, "/v1/invoices?source_reference=R2"))["items"][0]
    held.sort(key=lambda each: str(each["number"]), reverse=True)
    assert [(each["number"], each["duplicate_of"]) for each in held] == [("a. 2", second["id"]), ("A-1", first["id"])]
    assert len(await racing_service.published(DuplicateSuspectedV1)) == 2
    assert len(await racing_service.published(InvoiceHeldV1)) == 2
    [hold] = await shown(racing_service, f"/v1/invoices/{held[0]['id']}/holds")
    history = await shown(racing_service, f"/v1/invoices/{held[0]['id']}/history")
    assert [(change["version"], change["action"], change["by_name"]) for change in history] == [
        (1, "received", "payments_assistant"), (2, "held", "payments_assistant"),
    ]  # fmt: skip
    assert history[1]["detail"] == {"reasons": ["duplicate_suspected"]}
    async with racing_service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{held[0]['id']}/holds/{hold['id']}/releases")
        assert (await manager.post(f"/v1/invoices/{held[0]['id']}/approvals")).status_code == 201


async def test_a_third_copy_in_a_file_is_held_though_the_second_was_released(racing_service: Harness) -> None:
    """payables.md §4, D1, as for a single invoice."""
    await a_supplier(racing_service)
    await imported(racing_service, a_file(a_line(1), a_line(2, number="A-1")))
    page = (await shown(racing_service, "/v1/invoices?sort=id"))["items"]
    first, second = page
    [hold] = await shown(racing_service, f"/v1/invoices/{second['id']}/holds")
    async with racing_service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{first['id']}/cancellations", json={"reason": "entered_in_error"})
        released = await manager.post(f"/v1/invoices/{second['id']}/holds/{hold['id']}/releases")
        assert released.status_code == 201
    await imported(racing_service, a_file(a_line(3, number="a 1")))
    [third] = (await shown(racing_service, "/v1/invoices?source_reference=R3"))["items"]
    assert (third["hold_reasons"], third["duplicate_of"]) == (["duplicate_suspected"], second["id"])


async def test_invoices_of_a_held_supplier_are_held(racing_service: Harness) -> None:
    supplier_id = await a_supplier(racing_service)
    await racing_service.deliver(
        SupplierHeldV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, reason="dispute")
    )
    await imported(racing_service, a_file(a_line(1)))
    [invoice] = (await shown(racing_service, "/v1/invoices?hold_reason=supplier_held"))["items"]
    assert invoice["status"] == "held"


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
    assert _counts(done) == (1, 0, 3, 0)
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"/v1/invoice-imports/{done['id']}/refusals.ndjson")
    refused = [json.loads(line) for line in download.text.splitlines()]
    assert [one["_line"] for one in refused] == [2, 3, 4]
    await a_supplier(racing_service, "S8")
    again = await imported(racing_service, download.content.replace(b"5.5", b"55"), filename="again.ndjson")
    assert _counts(again) == (2, 0, 1, 0)
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
    assert _counts(done) == (1, 0, 1, 0), done
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
    assert _counts(again) == (1, 0, 0, 0)


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
    assert (done["status"], done["error"]["code"], _counts(done)) == ("failed", code, (0, 0, 0, 0))
    assert done["error"]["expected"]


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
    assert _counts(cr_only) == (0, 2, 0, 2)


async def test_parameters_that_cannot_be(service: Harness) -> None:
    for params in (
        {"filename": "a.pdf"},
        {"filename": "a.csv", "mapping": {"columns": {"colour": "x"}}},
        {"filename": "a.csv", "profile": "published_spend", "mapping": {"date_order": "dmy"}},
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


async def test_a_system_is_the_same_with_a_space_behind_it(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    assert _counts(await imported(racing_service, a_file(a_line(1)))) == (1, 0, 0, 0)
    assert _counts(await imported(racing_service, a_file(a_line(1)), source_system=" erp ")) == (0, 1, 0, 0)


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
        done = await assistant.post(f"{path}/cancellations")
        twice = await assistant.post(f"{path}/cancellations")
    assert (done.status_code, done.json()["status"]) == (201, "cancelled")
    assert (twice.status_code, twice.json()["code"]) == (409, "illegal-move")
    await racing_service.run_job(fresh_job())
    assert (await shown(racing_service, path))["lines_read"] == 0
    history = await shown(racing_service, f"{path}/history")
    assert [(change["version"], change["action"], change["by_name"]) for change in history] == [
        (1, "received", "payments_assistant"), (2, "cancelled", "payments_assistant"),
    ]  # fmt: skip
