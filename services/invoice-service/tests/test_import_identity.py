"""A line is its sender's own cells: what we learn to read changes nothing, and the supplier's own number is kept."""

from __future__ import annotations

from typing import Any

import pytest
from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1
from council_common.testing.harness import Harness
from invoice_service.intake.invoice_imports.rules import MOST_PAYMENTS_OF_ONE
from invoice_stories import a_file, a_supplier, history_of, imported, line_counts, shown, spend
from supplier_stand_in import supplier_service

J2 = (
    "Body Name,Date,Internal Ref Number,Invoice Number,Net Amount,Supplier Name,Supplier ID,Expense Area",
    "Anytown,2022-03-01,T1,INV-77,1000.00,ARDLEY PAVING LTD,90001,Roads",
    "Anytown,2022-03-15,T2,INV-77,1000.00,ARDLEY PAVING LTD,90001,Roads",
    "Anytown,2022-03-15,T3,inv 77,1000.00,Ardley Paving Limited,90001,Roads",
)
J3 = (
    "2022-06-28,2420001,336.00,ARDLEY PAVING LTD,402001,Housing",
    "2022-06-28,2420002,500.00,BERROW KERBS LTD,402002,Housing",
)
J3B = "Payment Date,Transaction Number,Net Amount,Supplier (Beneficiary) Name,Supplier ID,Directorate"
J3A = J3B.replace("Supplier ID", "Local Supplier Internal Reference")


async def _spent(service: Harness, *lines: str, **params: Any) -> dict[str, Any]:
    async with supplier_service(service):
        body = "\n".join(lines).encode()
        return await imported(service, body, **spend(unknown_suppliers="register"), **params)


def _by_number(page: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(page["items"], key=lambda invoice: str(invoice["number"]))


@pytest.mark.parametrize("files", [(J2,), (J2[:2], (J2[0], *J2[2:]))], ids=["one file", "a file a month"])
async def test_j2_one_invoice_paid_three_times_is_found_by_its_number_and_suspected(
    racing_service: Harness, files: tuple[tuple[str, ...], ...]
) -> None:
    done = [await _spent(racing_service, *lines) for lines in files]
    assert sum(import_["lines_accepted"] for import_ in done) == 3
    for spelling in ("INV-77", "inv77"):
        found = _by_number(await shown(racing_service, f"/v1/invoices?number={spelling}"))
        assert [(one["number"], one["status"]) for one in found] == [("T1", "paid"), ("T2", "paid"), ("T3", "paid")]
    first, *repeats = found
    assert (first["invoice_number"], first["flags"]) == ("INV-77", [])
    assert all((one["duplicate_of"], one["flags"]) == (first["id"], ["duplicate_suspected"]) for one in repeats)
    flagged = _by_number(await shown(racing_service, "/v1/invoices?flag=duplicate_suspected"))
    assert [one["id"] for one in flagged] == [one["id"] for one in repeats]
    suspected = await racing_service.published(DuplicateSuspectedV1)
    assert {(event.version, str(event.other_invoice_id)) for event in suspected} == {(2, first["id"])}
    assert (len(suspected), await racing_service.published(InvoiceHeldV1)) == (2, [])
    changes = await history_of(racing_service, f"/v1/invoices/{repeats[0]['id']}")
    assert [change["action"] for change in changes] == ["received", "duplicate suspected"]
    assert [one["number"] for one in (await shown(racing_service, "/v1/invoices?number=T2"))["items"]] == ["T2"]


async def test_j2_parts_of_one_payment_and_other_amounts_are_no_repeats(racing_service: Harness) -> None:
    part, other = J2[1].replace("Roads", "Parks"), J2[2].replace("1000.00", "900.00")
    done = await _spent(racing_service, J2[0], J2[1], part, other)
    assert line_counts(done) == (3, 0, 0, 0)
    assert await racing_service.published(DuplicateSuspectedV1) == []


@pytest.mark.parametrize("months", [1, 3], ids=["one file", "a file a month"])
async def test_j2_a_number_paid_again_and_again_is_no_invoice_s(racing_service: Harness, months: int) -> None:
    """An account, a card or an agreement: of what is paid under it later, nothing is suspected."""
    paid = [J2[1].replace("T1", f"T{number}") for number in range(MOST_PAYMENTS_OF_ONE + 5)]
    size = -(-len(paid) // months)
    for start in range(0, len(paid), size):
        await _spent(racing_service, J2[0], *paid[start : start + size])
    suspected = await racing_service.published(DuplicateSuspectedV1)
    assert len(suspected) < 2 * MOST_PAYMENTS_OF_ONE  # those of a file that began below the bound
    await _spent(racing_service, J2[0], J2[1].replace("T1", "T99"))
    assert await racing_service.published(DuplicateSuspectedV1) == suspected


async def test_j3_a_corrected_header_adds_nothing(racing_service: Harness) -> None:
    first = await _spent(racing_service, J3A, *J3)
    again = await _spent(racing_service, J3B, *J3)
    assert (line_counts(first), line_counts(again)) == ((2, 0, 0, 0), (0, 2, 0, 0))
    assert first["net_pence_sum"] == again["net_pence_sum"] == 83_600


async def test_a_payment_is_known_again_however_much_is_read_of_it(racing_service: Harness) -> None:
    header = J3A.replace("Directorate", "Where It Went")
    assert line_counts(await _spent(racing_service, header, *J3)) == (2, 0, 0, 0)
    mapping = {"columns": {"department": "Where It Went", "supplier_reference": "Local Supplier Internal Reference"}}
    assert line_counts(await _spent(racing_service, header, *J3, mapping=mapping)) == (0, 2, 0, 0)
    otherwise = [line.replace("2022-06-28", "28/06/2022").replace(".00", "") for line in J3]
    assert line_counts(await _spent(racing_service, header, *otherwise)) == (0, 2, 0, 0)


async def test_an_invoice_is_known_again_when_more_is_read_of_its_line(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    header = "supplier_reference,number,received_on,net_pence,What For,Order"
    body = a_file(
        "S1,1,2026-02-03,10000,Kerbs,PO-7", "S1,2,2026-02-03,500,Sand,", "S1,2,2026-02-03,700,Grit,", header=header
    )
    assert line_counts(await imported(racing_service, body)) == (3, 0, 0, 0)
    mapping = {"columns": {"description": "What For", "purchase_order_number": "Order"}}
    again = await imported(racing_service, body, mapping=mapping)
    assert (line_counts(again), again["net_pence_sum"]) == ((0, 3, 0, 0), 11_200)


async def test_the_same_cells_read_as_other_amounts_are_not_the_same_invoice(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    body = a_file("S1,1,2026-02-03,1500", header="supplier_reference,number,received_on,Sum")
    for amounts, counts in (("pence", (1, 0, 0, 0)), ("pounds", (0, 0, 1, 0))):
        mapping = {"columns": {"net": "Sum"}, "amounts": amounts}
        assert line_counts(await imported(racing_service, body, mapping=mapping)) == counts


async def test_a_date_for_the_whole_file_makes_the_lines_of_two_months_different(racing_service: Harness) -> None:
    header = "Transaction Number,Net Amount,Supplier (Beneficiary) Name"
    for month in ("2022-06-30", "2022-07-31"):
        mapping = {"constants": {"paid_on": month}}
        done = await _spent(racing_service, header, "2420001,336.00,ARDLEY PAVING LTD", mapping=mapping)
        assert line_counts(done) == (1, 0, 0, 0)
