"""Amounts are kept as they were sent: those that do not add up are flagged, VAT that is absent is worked out."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from council_common.contracts.invoices import (
    InvoiceAmountsDisagreeV1,
    InvoiceAmountsSettledV1,
    InvoiceHeldV1,
    InvoiceReceivedV1,
    InvoiceReleasedV1,
)
from council_common.testing.harness import Harness
from invoice_stories import a_file, a_release, a_supplier, history_of, imported, line_counts, shown, spend
from supplier_stand_in import supplier_service

POUNDS = {"amounts": "pounds"}
J1 = (
    "Authority Name,Date of Payment,SAP Document Number,Gross,VAT,Net,Supplier Name,Directorate,G/L Description",
    "Anytown,2012-03-05,2200000001,120.00,20.00,100.00,ARDLEY PAVING LTD,Env,Kerbs",
    "Anytown,2012-03-05,2200000002,100.00,20.00,120.00,ARDLEY PAVING LTD,Env,Net and gross swapped",
    "Anytown,2012-03-05,2200000003,120.00,20.00,120.00,ARDLEY PAVING LTD,Env,Net is the gross",
    "Anytown,2012-03-05,2200000004,120.00,0.00,100.00,ARDLEY PAVING LTD,Env,VAT left out",
    "Anytown,2012-03-05,2200000005,20.00,20.00,0.00,ARDLEY PAVING LTD,Env,VAT alone",
    "Anytown,2012-03-05,2200000006,30.00,20.00,10.00,ARDLEY PAVING LTD,Env,VAT of an import",
)


def _amounts(invoice: dict[str, Any]) -> tuple[int, ...]:
    return tuple(invoice[f"{name}_pence"] for name in ("net", "vat", "gross"))


async def _spent(service: Harness, *lines: str) -> dict[str, Any]:
    async with supplier_service(service):
        return await imported(service, "\n".join(lines).encode(), **spend(unknown_suppliers="register"))


async def _of(service: Harness, import_: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    found = await shown(service, f"/v1/invoices?import_id={import_['id']}{query}")
    items: list[dict[str, Any]] = sorted(found["items"], key=lambda invoice: invoice["line_number"])
    return items


async def test_j1_amounts_that_do_not_add_up_are_kept_as_they_are_and_flagged(racing_service: Harness) -> None:
    done = await _spent(racing_service, *J1)
    assert (line_counts(done), done["lines_amounts_disagree"]) == ((6, 0, 0, 0), 3)
    invoices = await _of(racing_service, done)
    assert [_amounts(invoice) for invoice in invoices] == [
        (10_000, 2_000, 12_000), (12_000, 2_000, 10_000), (12_000, 2_000, 12_000),
        (10_000, 0, 12_000), (0, 2_000, 2_000), (1_000, 2_000, 3_000),
    ]  # fmt: skip
    assert all(invoice["paid_pence"] == invoice["gross_pence"] > 0 for invoice in invoices)
    flagged = await _of(racing_service, done, "&flag=amounts_disagree")
    assert [invoice["line_number"] for invoice in flagged] == [3, 4, 5]
    events = await racing_service.published(InvoiceAmountsDisagreeV1)
    assert sorted((event.net_pence, event.vat_pence, event.gross_pence) for event in events) == sorted(
        _amounts(invoice) for invoice in flagged
    )
    assert {event.version for event in events} == {2}
    again = await _spent(racing_service, *J1)
    assert (line_counts(again), again["lines_amounts_disagree"]) == ((0, 6, 0, 0), 0)


async def test_j1_vat_alone_without_a_gross_amount_is_paid_as_well(racing_service: Harness) -> None:
    header = "Date of Payment,Document Number,VAT,Net,Supplier Name"
    done = await _spent(racing_service, header, "2012-03-05,1,20.00,0.00,A Ltd", "2012-03-05,2,20.00,100.00,A Ltd")
    assert [_amounts(one) for one in await _of(racing_service, done)] == [(0, 2_000, 2_000), (10_000, 2_000, 12_000)]


async def _disagreeing(service: Harness) -> dict[str, Any]:
    await a_supplier(service)
    header = "supplier_reference,number,received_on,net_amount,vat_amount,gross_amount"
    done = await imported(service, a_file("S1,7,03/02/2026,120.00,20.00,100.00", header=header), mapping=POUNDS)
    assert (line_counts(done), done["lines_amounts_disagree"]) == ((1, 0, 0, 0), 1)
    [invoice] = await _of(service, done)
    return invoice


SETTLED = {"net_pence": 10_000, "vat_pence": 2_000, "gross_pence": 12_000, "vat_rate": "20", "note": "By the paper."}


async def test_an_open_invoice_whose_amounts_disagree_is_held_until_a_person_settles_them(
    racing_service: Harness,
) -> None:
    invoice = await _disagreeing(racing_service)
    path = f"/v1/invoices/{invoice['id']}"
    assert (invoice["status"], invoice["hold_reasons"], invoice["flags"], _amounts(invoice), invoice["version"]) == (
        "held", ["amounts_disagree"], ["amounts_disagree"], (12_000, 2_000, 10_000), 3,
    )  # fmt: skip
    [hold] = (await shown(racing_service, f"{path}/holds"))["items"]
    async with racing_service.as_("ap_manager") as manager:
        approved = await manager.post(f"{path}/approvals")
        assert (approved.status_code, approved.json()["code"]) == (409, "invoice-held")
        released = await manager.post(f"{path}/holds/{hold['id']}/releases", json=a_release())
        assert (released.status_code, released.json()["code"]) == (409, "hold-follows-amounts")
        placed = await manager.post(f"{path}/holds", json={"reason": "amounts_disagree", "note": "So it is."})
        assert placed.json()["code"] == "hold-follows-amounts"
        wrong = await manager.post(f"{path}/amount-settlements", json=SETTLED | {"gross_pence": 11_999})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "gross_pence")
        settled = await manager.post(f"{path}/amount-settlements", json=SETTLED)
        assert (settled.status_code, settled.json()["status"], settled.json()["flags"]) == (201, "received", [])
        again = await manager.post(f"{path}/amount-settlements", json=SETTLED)
        assert (again.status_code, again.json()["code"]) == (409, "amounts-agree")
        own = await manager.post(f"{path}/approvals")
        assert (own.status_code, own.json()["code"]) == (403, "own-request")
    async with racing_service.as_("ap_manager", name="another_manager") as another:
        assert (await another.post(f"{path}/approvals")).status_code == 201
    assert [(change["version"], change["action"]) for change in await history_of(racing_service, path)] == [
        (1, "received"), (2, "amounts disagree"), (3, "held"), (4, "amounts settled"), (5, "released"),
        (6, "approved"),
    ]  # fmt: skip
    [event] = await racing_service.published(InvoiceAmountsSettledV1)
    [share] = event.vat_shares
    assert (event.version, share.net_pence, share.vat_pence, event.gross_pence) == (4, 10_000, 2_000, 12_000)
    assert [event.version for event in await racing_service.published(InvoiceHeldV1)] == [3]
    assert [event.version for event in await racing_service.published(InvoiceReleasedV1)] == [5]


async def test_settling_a_paid_one_says_what_was_paid(racing_service: Harness) -> None:
    done = await _spent(racing_service, J1[0], J1[2])
    [invoice] = await _of(racing_service, done)
    async with racing_service.as_("ap_manager") as manager:
        settled = await manager.post(f"/v1/invoices/{invoice['id']}/amount-settlements", json=SETTLED)
    body = settled.json()
    assert (settled.status_code, body["status"], _amounts(body)) == (201, "paid", (10_000, 2_000, 12_000))
    assert (body["paid_pence"], body["outstanding_pence"]) == (12_000, 0)
    assert body["lines"][0]["vat_rate"] == "20"
    assert line_counts(await _spent(racing_service, J1[0], J1[2])) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("header", "line", "amounts", "derived"),
    [
        ("gross_amount,vat_rate", "120.00,20", (10_000, 2_000, 12_000), True),
        ("net_amount,vat_rate", "100.00,20", (10_000, 2_000, 12_000), True),
        ("net_amount,vat_rate", "100.00,0.2", (10_000, 2_000, 12_000), True),
        ("net_amount,vat_rate", "0.02,20", (2, 0, 2), True),
        ("net_amount,gross_amount", "100.00,120.00", (10_000, 2_000, 12_000), True),
        ("net_amount,vat_rate", "100.00,0", (10_000, 0, 10_000), False),
        ("net_amount,vat_rate,vat_amount", "100.00,20,0.00", (10_000, 0, 10_000), False),
        ("net_amount,vat_rate", "100.00,", (10_000, 0, 10_000), False),
    ],
    ids=["f6", "f7", "a share", "a penny", "by difference", "rate zero", "zero is stated", "no rate"],
)
async def test_f6_f7_absent_vat_is_worked_out_and_marked(
    racing_service: Harness, header: str, line: str, amounts: tuple[int, ...], *, derived: bool
) -> None:
    await a_supplier(racing_service, "SUP-F")
    body = a_file(f"SUP-F,INV-930,03/02/2026,{line}", header=f"supplier_reference,number,received_on,{header}")
    done = await imported(racing_service, body, mapping=POUNDS)
    assert (line_counts(done), done["lines_vat_derived"]) == ((1, 0, 0, 0), int(derived))
    [invoice] = await _of(racing_service, done)
    assert (_amounts(invoice), invoice["flags"]) == (amounts, ["vat_derived"] if derived else [])
    assert len(await _of(racing_service, done, "&flag=vat_derived")) == int(derived)
    [event] = await racing_service.published(InvoiceReceivedV1)
    assert (event.vat_pence, event.status) == (amounts[1], "received")


async def test_e1_a_rate_in_a_percent_cell_is_a_percentage(racing_service: Harness) -> None:
    await a_supplier(racing_service, "SUP-E")
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["supplier_reference", "number", "received_on", "net_amount", "vat_amount", "vat_rate"])
    sheet.append(["SUP-E", "INV-800", "2026-02-03", 100, 20, 0.2])
    sheet["F2"].number_format = "0%"
    file = io.BytesIO()
    book.save(file)
    done = await imported(racing_service, file.getvalue(), filename="e1.xlsx", mapping=POUNDS)
    assert line_counts(done) == (1, 0, 0, 0)
    [invoice] = await _of(racing_service, done)
    assert (invoice["lines"][0]["vat_rate"], _amounts(invoice)) == ("20", (10_000, 2_000, 12_000))
