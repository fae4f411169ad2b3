from typing import Any

from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1
from council_common.testing.harness import NOW, Harness
from invoice_stories import (
    HEADER,
    a_file,
    a_hold,
    a_line,
    a_payment,
    a_release,
    a_supplier,
    an_invoice,
    history_of,
    imported,
    line_counts,
    received,
    shown,
)

REFUSED = (
    (a_line(2, supplier="S9"), "supplier-not-found", "supplier_reference"),
    (a_line(4, received_on="2026-03-12"), "date-in-future", "received_on"),
    (a_line(5, net_pence="12.50"), "not-pence", "net"),
    (a_line(6, net=-5_000), "negative-invoice", "gross"),
    (a_line(7, received_on="31/02/2026"), "not-a-calendar-day", "received_on"),
    (a_line(8, number=""), "missing-value", "number"),
    (a_line(9, vat_pence=1_234, gross_pence=11_234), "missing-value", "vat_rate"),
    (a_line(12, reference="R\x01"), "invisible-character", "reference"),
    (a_line(12, reference="R\u202e1"), "invisible-character", "reference"),
    (a_line(10) + ",too,many", "too-many-fields", ""),
)


async def test_refused_lines_are_downloaded_corrected_and_sent_again(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    body = a_file(a_line(1), *(line for line, _, _ in REFUSED), a_line(11))
    done = await imported(racing_service, body)
    assert line_counts(done) == (2, 0, len(REFUSED), 0)
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
    assert line_counts(again) == (3, 0, len(REFUSED) - 3, 0)
    page = await shown(racing_service, f"/v1/invoices?import_id={again['id']}&sort=received_on")
    assert sorted(line["line_number"] for line in page["items"]) == [3, 5, 12]
    once_more = await imported(racing_service, corrected)
    assert line_counts(once_more) == (0, 3, len(REFUSED) - 3, 0)
    assert len(await racing_service.published(InvoiceReceivedV1)) == 5


async def test_the_same_file_again_adds_nothing_and_other_content_is_refused(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    body = a_file(a_line(1), a_line(2))
    await imported(racing_service, body)
    again = await imported(racing_service, body, filename="renamed.csv")
    assert (line_counts(again), again["net_pence_sum"]) == ((0, 2, 0, 0), 20_000)
    changed = await imported(racing_service, a_file(a_line(1), a_line(2, net=20_000), a_line(3)))
    assert line_counts(changed) == (1, 1, 1, 0)
    [refused] = (await shown(racing_service, f"/v1/invoice-imports/{changed['id']}/refusals"))["items"]
    assert refused["code"] == "source-reference-taken"
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
        assert line_counts(await imported(racing_service, a_file(a_line(1)))) == (0, 1, 0, 0)
        assert (await erp.post("/v1/invoices", json=posted)).status_code == 200


PAID_HEADER = f"{HEADER},paid_on"


def _paid(number: int, paid_on: str = "", **other: Any) -> str:
    return f"{a_line(number, **other)},{paid_on}"


async def test_a_payment_is_not_lost_in_a_line_that_is_known(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(_paid(1), _paid(2, "2026-03-01"), header=PAID_HEADER))
    otherwise = (
        (_paid(1, "2026-03-01"), "invoice-known-unpaid"),
        (_paid(2), "invoice-known-paid"),
        (_paid(2, "2026-03-02"), "invoice-known-paid"),
    )
    for line, code in otherwise:
        again = await imported(racing_service, a_file(line, header=PAID_HEADER))
        [refused] = (await shown(racing_service, f"/v1/invoice-imports/{again['id']}/refusals"))["items"]
        assert (line_counts(again), refused["code"], refused["field"]) == ((0, 0, 1, 0), code, "paid_on")
    as_before = await imported(racing_service, a_file(_paid(1), _paid(2, "2026-03-01"), header=PAID_HEADER))
    assert line_counts(as_before) == (0, 2, 0, 0)


async def test_an_open_invoice_that_was_paid_since_is_known_either_way(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(_paid(1), header=PAID_HEADER))
    [invoice] = (await shown(racing_service, "/v1/invoices?source_reference=R1"))["items"]
    async with racing_service.as_("ap_manager") as manager, racing_service.as_("erp") as erp:
        await manager.post(f"/v1/invoices/{invoice['id']}/approvals")
        assert (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=12_000))).status_code == 201
    for line, counts in (
        (_paid(1), (0, 1, 0, 0)),
        (_paid(1, "2026-03-11"), (0, 1, 0, 0)),
        (_paid(1, "2026-03-10"), (0, 0, 1, 0)),
    ):
        assert line_counts(await imported(racing_service, a_file(line, header=PAID_HEADER))) == counts


async def test_lines_of_a_supplier_that_ended_are_known_or_refused(racing_service: Harness) -> None:
    supplier_id = await a_supplier(racing_service)
    await imported(racing_service, a_file(a_line(1)))
    await racing_service.deliver(
        SupplierChangedV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, changed=["status"],
                          payment_terms_days=30, status="closed")
    )  # fmt: skip
    again = await imported(racing_service, a_file(a_line(1), a_line(2)))
    assert line_counts(again) == (0, 1, 1, 0)


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
    assert (done["status"], line_counts(done)) == ("done", (len(lines), 0, len(bad), 0))
    refusals = (await shown(racing_service, f"/v1/invoice-imports/{done['id']}/refusals"))["items"]
    assert [(one["line_number"], one["code"], one["field"]) for one in refusals] == [
        (3, "nul-byte", ""),
        (4, "date-in-future", "received_on"),
        (5, "dates-out-of-order", "due_on"),
        (6, "vat-beyond-rate", "vat"),
        (7, "vat-beyond-rate", "vat"),
        (8, "invisible-character", "supplier_reference"),
    ]
    assert "A\u2400-2" in refusals[0]["raw"]
    broken = "\n".join([*["{}"] * 60, '{"number": "A\0"}'])
    ndjson = await imported(racing_service, broken.encode(), filename="a.ndjson")
    assert (ndjson["status"], line_counts(ndjson)) == ("done", (0, 0, 61, 0))


async def test_a_file_of_another_kind_loses_no_line(racing_service: Harness) -> None:
    """A file of invoices has no totals: a line with nothing but an amount is a broken one."""
    await a_supplier(racing_service)
    done = await imported(racing_service, a_file(a_line(1), ",,,,,5000,,,", ",,Total,,,700,,,", ",,,,,,,,"))
    assert (line_counts(done), done["file_total_pence"]) == ((1, 0, 2, 1), None)


async def test_references_are_made_of_supplier_and_number(racing_service: Harness) -> None:
    for reference in ("A/1", "A"):
        await a_supplier(racing_service, reference)
    body = a_file(
        a_line(1, supplier="A/1", reference="", number="2"), a_line(2, supplier="A", reference="", number="1/2")
    )
    done = await imported(racing_service, body)
    assert line_counts(done) == (2, 0, 0, 0)
    page = await shown(racing_service, "/v1/invoices?sort=id")
    references = {invoice["number"]: invoice["source"]["reference"] for invoice in page["items"]}
    assert references == {"2": "A%2F1/2", "1/2": "A/1/2"}


async def test_duplicates_in_a_file_and_against_the_database_are_held(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    first = await received(racing_service, number="A-1")
    body = a_file(a_line(1), a_line(2), a_line(3, number="a. 2", reference="X"), a_line(4, number="7"))
    done = await imported(racing_service, body)
    assert line_counts(done) == (4, 0, 0, 0)
    held = (await shown(racing_service, "/v1/invoices?held=true&sort=id"))["items"]
    second = (await shown(racing_service, "/v1/invoices?source_reference=R2"))["items"][0]
    held.sort(key=lambda invoice: str(invoice["number"]), reverse=True)
    assert [(one["number"], one["duplicate_of"]) for one in held] == [("a. 2", second["id"]), ("A-1", first["id"])]
    assert len(await racing_service.published(DuplicateSuspectedV1)) == 2
    assert len(await racing_service.published(InvoiceHeldV1)) == 2
    [hold] = (await shown(racing_service, f"/v1/invoices/{held[0]['id']}/holds"))["items"]
    history = await history_of(racing_service, f"/v1/invoices/{held[0]['id']}")
    assert [(change["version"], change["action"], change["by_name"]) for change in history] == [
        (1, "received", "payments_assistant"), (2, "duplicate suspected", "payments_assistant"),
        (3, "held", "payments_assistant"),
    ]  # fmt: skip
    assert history[2]["detail"] == {"reasons": ["duplicate_suspected"]}
    events = await racing_service.published(DuplicateSuspectedV1, InvoiceHeldV1)
    assert [event.version for event in events] == [2, 3] * 2
    async with racing_service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{held[0]['id']}/holds/{hold['id']}/releases", json=a_release())
        assert (await manager.post(f"/v1/invoices/{held[0]['id']}/approvals")).status_code == 201


async def test_a_third_copy_in_a_file_is_held_though_the_second_was_released(racing_service: Harness) -> None:
    """Rule D1, as for a single invoice."""
    await a_supplier(racing_service)
    await imported(racing_service, a_file(a_line(1), a_line(2, number="A-1")))
    page = (await shown(racing_service, "/v1/invoices?sort=id"))["items"]
    first, second = page
    [hold] = (await shown(racing_service, f"/v1/invoices/{second['id']}/holds"))["items"]
    async with racing_service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{first['id']}/cancellations", json=a_hold("entered_in_error"))
        released = await manager.post(f"/v1/invoices/{second['id']}/holds/{hold['id']}/releases", json=a_release())
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
