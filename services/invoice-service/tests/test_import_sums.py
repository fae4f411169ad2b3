"""What is reported of a file is the file: stored + existing + refused + skipped, in count and in pence."""

from __future__ import annotations

from council_common.testing.harness import Harness
from invoice_stories import a_file, a_supplier, imported, line_counts, shown

POUNDS = {"amounts": "pounds"}
HEADER = "supplier_reference,number,invoice_date,received_on,net_amount,vat_amount,gross_amount,description"


def _row(number: str, net: int, what: str = "Goods", *, gross: str = "", received_on: str = "03/02/2026") -> str:
    return f"S1,{number},01/02/2026,{received_on},{net}.00,0.00,{gross},{what}"


async def test_counts_and_pence_are_those_of_the_file_line_by_line(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    await imported(racing_service, a_file(_row("1", 1), header=HEADER), mapping=POUNDS)
    lines = (
        _row("1", 1),  # existing
        *(_row("2", 2, what) for what in ("Kerbs", "Sand")),  # one invoice of two lines
        *(_row("3", 4) for _ in range(2)),  # equal: both refused
        _row("4", 8, gross="9.00"),  # kept as it is
        _row("5", 16, received_on="31/02/2026"),  # refused
        _row("6", 32).replace("S1", "S9"),  # refused: no such supplier
        HEADER,  # skipped
        ",,,,,,,",  # skipped
    )
    done = await imported(racing_service, a_file(*lines, header=HEADER), mapping=POUNDS)
    assert (line_counts(done), done["lines_read"]) == ((3, 1, 4, 2), len(lines))
    assert (done["net_pence_sum"], done["refused_pence_sum"]) == (1_300, 5_600)
    stored = (await shown(racing_service, f"/v1/invoices?import_id={done['id']}"))["items"]
    assert sum(invoice["net_pence"] for invoice in stored) + 100 == done["net_pence_sum"]
    assert sum(len(invoice["lines"]) for invoice in stored) == done["lines_accepted"]


async def test_f5_an_invoice_dated_after_its_receipt_is_stored_from_a_file_and_flagged(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    line = "S1,INV-920,01/04/2026,28/02/2026,100.00,20.00,,Licence"
    done = await imported(racing_service, a_file(line, header=HEADER), mapping=POUNDS)
    assert line_counts(done) == (1, 0, 0, 0)
    [invoice] = (await shown(racing_service, "/v1/invoices?flag=dated_after_receipt"))["items"]
    assert (invoice["issued_on"], invoice["received_on"]) == ("2026-04-01", "2026-02-28")
