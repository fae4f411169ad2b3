"""Rows of one invoice are one invoice of several lines, wherever they stand, or all refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.testing.harness import Harness
from invoice_service.intake.invoice_imports import invoice_rows
from invoice_stories import a_file, a_line, a_supplier, fresh_job, imported, line_counts, shown, uploaded

POUNDS = {"amounts": "pounds"}
COLUMNS = "supplier_reference,number,received_on,net_amount,vat_amount,description"


def _row(number: str, net: int, description: str, *, received_on: str = "03/02/2026", supplier: str = "SUP-F") -> str:
    return f"{supplier},{number},{received_on},{net}.00,{net // 5}.00,{description}"


KERBS, GRAVEL, DELIVERY = (_row("INV-900", 100, "Kerbs"), _row("INV-900", 250, "Gravel"), _row("INV-900", 30, "Lorry"))
OTHER = _row("INV-902", 50, "Day shift")


async def _imported(service: Harness, *rows: str, **params: Any) -> dict[str, Any]:
    return await imported(service, "\r\n".join((COLUMNS, *rows)).encode(), mapping=POUNDS, **params)


async def refusals_of(service: Harness, import_: dict[str, Any]) -> list[tuple[int, str]]:
    """The refused lines, each with its code."""
    found = await shown(service, f"/v1/invoice-imports/{import_['id']}/refusals")
    return [(refusal["line_number"], refusal["code"]) for refusal in found["items"]]


@pytest.mark.parametrize("rows", [(KERBS, GRAVEL, DELIVERY, OTHER), (KERBS, OTHER, GRAVEL, DELIVERY)])
async def test_f1_rows_of_one_invoice_are_one_invoice_of_several_lines(
    racing_service: Harness, rows: tuple[str, ...]
) -> None:
    await a_supplier(racing_service, "SUP-F")
    done = await _imported(racing_service, *rows)
    assert (line_counts(done), done["lines_read"], done["net_pence_sum"]) == ((4, 0, 0, 0), 4, 43_000)
    [invoice] = (await shown(racing_service, "/v1/invoices?number=INV-900"))["items"]
    assert [invoice[f"{name}_pence"] for name in ("net", "vat", "gross")] == [38_000, 7_600, 45_600]
    assert [line["description"] for line in invoice["lines"]] == ["Kerbs", "Gravel", "Lorry"]
    [event] = [event for event in await racing_service.published(InvoiceReceivedV1) if event.number == "INV-900"]
    [share] = event.vat_shares
    assert (event.gross_pence, share.net_pence, share.vat_pence) == (45_600, 38_000, 7_600)
    again = await _imported(racing_service, *rows)
    assert (line_counts(again), again["net_pence_sum"]) == ((0, 4, 0, 0), 43_000)


async def test_a_discount_is_a_line_of_its_invoice_and_rates_have_a_share_each(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-F")
    books = "SUP-F,INV-900,03/02/2026,40.00,0.00,Books"
    done = await _imported(racing_service, KERBS, _row("INV-900", -20, "Discount"), books)
    assert (line_counts(done), done["net_pence_sum"]) == ((3, 0, 0, 0), 12_000)
    [event] = await racing_service.published(InvoiceReceivedV1)
    assert [(str(share.vat_rate), share.net_pence, share.vat_pence) for share in event.vat_shares] == [
        ("0", 4_000, 0), ("20", 8_000, 1_600),
    ]  # fmt: skip


async def test_f2_two_equal_rows_are_refused_and_the_sums_are_those_of_what_is_stored(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-F")
    twin = _row("INV-901", 100, "Night shift")
    for again in (False, True):
        done = await _imported(racing_service, twin, OTHER, twin)
        assert line_counts(done) == ((0, 1, 2, 0) if again else (1, 0, 2, 0))
        assert (done["net_pence_sum"], done["refused_pence_sum"]) == (5_000, 20_000)
        assert await refusals_of(racing_service, done) == [(2, "repeated-in-file"), (4, "repeated-in-file")]


async def test_two_equal_rows_stay_equal_when_they_come_back_with_their_line_numbers(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-F")
    done = await _imported(racing_service, KERBS, KERBS)
    async with racing_service.as_("auditor") as auditor:
        download = await auditor.get(f"/v1/invoice-imports/{done['id']}/refusals.csv")
    again = await imported(racing_service, download.content, mapping=POUNDS)
    assert (line_counts(again), await refusals_of(racing_service, again)) == (
        (0, 0, 2, 0), [(2, "repeated-in-file"), (3, "repeated-in-file")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("third", "codes"),
    [
        (_row("INV-900", 30, "Lorry", received_on="04/02/2026"), {"repeated-in-file"}),
        (_row("INV-900", 30, "Lorry", received_on="31/02/2026"), {"repeated-in-file", "not-a-calendar-day"}),
        (_row("INV-900", 30, "Lorry", received_on="04/02/2027"), {"repeated-in-file", "date-in-future"}),
    ],
    ids=["another date", "unreadable", "impossible"],
)
async def test_rows_that_do_not_agree_are_all_refused(racing_service: Harness, third: str, codes: set[str]) -> None:
    await a_supplier(racing_service, "SUP-F")
    done = await _imported(racing_service, KERBS, GRAVEL, third, OTHER)
    assert (line_counts(done), done["net_pence_sum"], done["refused_pence_sum"]) == ((1, 0, 3, 0), 5_000, 38_000)
    assert {code for _, code in await refusals_of(racing_service, done)} == codes


async def test_all_rows_of_an_invoice_go_with_their_unknown_supplier(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-F")
    rows = [_row("INV-900", net, f"{net}", supplier="SUP-9") for net in (100, 250, 30)]
    done = await _imported(racing_service, rows[0], OTHER, *rows[1:])
    assert (line_counts(done), done["refused_pence_sum"]) == ((1, 0, 3, 0), 38_000)
    refused = (await shown(racing_service, f"/v1/invoice-imports/{done['id']}/refusals"))["items"]
    assert [(one["line_number"], one["code"], one["raw"]) for one in refused] == [
        (line, "supplier-not-found", row) for line, row in zip((2, 4, 5), rows, strict=True)
    ]


async def test_rows_of_one_invoice_are_found_in_other_batches(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    lines = [a_line(number) for number in range(5_001)]
    far = a_line(0, net=500)
    done = await imported(racing_service, a_file(*lines, far, lines[1]))
    assert (line_counts(done), done["net_pence_sum"]) == ((5_001, 0, 2, 0), 5_000 * 10_000 + 500)
    assert await refusals_of(racing_service, done) == [(3, "repeated-in-file"), (5_004, "repeated-in-file")]
    [invoice] = (await shown(racing_service, "/v1/invoices?source_reference=R0"))["items"]
    assert (invoice["line_number"], [line["net_pence"] for line in invoice["lines"]]) == (2, [10_000, 500])


async def test_an_import_that_goes_on_elsewhere_still_knows_the_rows_that_waited(
    racing_service: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("council_common.long_work.turns.TURN_SECONDS", 0.0001)  # one batch a turn
    await a_supplier(racing_service)
    lines = [a_line(number) for number in range(5_001)]
    answer = await uploaded(racing_service, a_file(*lines, a_line(0, net=500), a_line(6_000)))
    await fresh_job().run(racing_service.runtime)
    half = await shown(racing_service, answer.headers["location"])
    assert line_counts(half) == (4_999, 0, 0, 0)
    await racing_service.run_job(fresh_job())
    done = await shown(racing_service, answer.headers["location"])
    assert (done["status"], line_counts(done)) == ("done", (5_003, 0, 0, 0))
    [invoice] = (await shown(racing_service, "/v1/invoices?source_reference=R0"))["items"]
    assert invoice["net_pence"] == 10_500


async def test_rows_that_are_equal_but_for_a_column_we_do_not_read_are_two_lines(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-F")
    rows = (f"{COLUMNS},Line", f"{KERBS},1", f"{KERBS},2")
    done = await imported(racing_service, "\r\n".join(rows).encode(), mapping=POUNDS)
    assert (line_counts(done), done["net_pence_sum"]) == ((2, 0, 0, 0), 20_000)


async def test_records_of_one_invoice(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    common = {"supplier_reference": "S1", "number": "1", "received_on": "2026-02-03"}
    records = [common | {"net_pence": net, "description": f"{net}"} for net in (5_000, 700)]
    done = await imported(racing_service, "\n".join(map(json.dumps, records)).encode(), filename="a.ndjson")
    assert (line_counts(done), done["net_pence_sum"]) == ((2, 0, 0, 0), 5_700)


async def test_a_file_that_breaks_off_keeps_the_invoices_before(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    lines = [a_line(number) for number in range(1, 5_001)]
    done = await imported(racing_service, a_file(*lines, a_line(1, net=500), 'R9,"S1,1'))
    assert (done["status"], done["progress"]["error"]["code"]) == ("failed", "quote-never-closed")
    assert line_counts(done) == (4_999, 0, 0, 0)


def test_too_many_rows_that_wait_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoice_rows, "MOST_WAITING", 1)
    rows = invoice_rows.InvoiceRows.__new__(invoice_rows.InvoiceRows)
    rows._repeated, rows._waiting, rows._waiting_rows, rows._complete = {hash("a"): 3}, {}, 0, []
    rows.add("a", invoice_rows.Row(2, (), []))
    with pytest.raises(invoice_rows.UnreadableFile, match="rows-of-invoices-apart"):
        rows.add("a", invoice_rows.Row(3, (), []))
