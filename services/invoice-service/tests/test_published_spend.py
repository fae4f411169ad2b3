import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.testing.harness import Harness
from invoice_service.intake.invoice_imports.rules import published_supplier
from invoice_stories import SPEND_HEADER, a_file, a_spend_line, imported, line_counts, shown, spend
from supplier_stand_in import supplier_service

NAMED = published_supplier("Ardley Paving Ltd", None)[0]
REGISTER = spend(unknown_suppliers="register")


def _file(*lines: str) -> bytes:
    return a_file(*lines, header=SPEND_HEADER)


async def test_a_published_file_is_paid_history(racing_service: Harness) -> None:
    async with supplier_service(racing_service) as registered:
        body = _file(
            a_spend_line("T1", amount="1,234.56"),
            a_spend_line("T2", amount="(100.00)", supplier="REDACTED PERSONAL DATA"),
            a_spend_line("T3", supplier=""),
            a_spend_line("T4", amount="nothing"),
            ",,,,,1234.56,",
        )
        done = await imported(racing_service, body, **REGISTER)
    assert line_counts(done) == (3, 0, 1, 1)
    assert (done["net_pence_sum"], done["file_total_pence"], done["file_total_agrees"]) == (123_456, 123_456, True)
    assert sorted(registered) == [NAMED, "redacted"]
    [paid] = (await shown(racing_service, "/v1/invoices?number=T1"))["items"]
    assert (paid["status"], paid["historic"], paid["number"], paid["outstanding_pence"]) == ("paid", True, "T1", 0)
    assert {paid[name] for name in ("issued_on", "received_on", "due_on", "paid_on")} == {"2026-03-02"}
    assert paid["lines"][0]["department"] == "Parks"
    [credit] = (await shown(racing_service, "/v1/invoices?kind=credit_note"))["items"]
    assert credit["gross_pence"] == -10_000
    events = await racing_service.published(InvoiceReceivedV1)
    assert [(event.historic, event.status, str(event.paid_on)) for event in events] == [
        (True, "paid", "2026-03-02")
    ] * 3
    assert len({event.supplier_id for event in events}) == 2


async def test_equal_lines_are_counted_and_a_file_published_twice_adds_nothing(racing_service: Harness) -> None:
    async with supplier_service(racing_service):
        twice, thrice = a_spend_line("T2"), a_spend_line("T3")
        body = _file(a_spend_line("T1"), twice, thrice, twice, thrice, thrice)
        assert line_counts(await imported(racing_service, body, **REGISTER)) == (6, 0, 0, 0)
        assert line_counts(await imported(racing_service, body, filename="again.csv", **REGISTER)) == (0, 6, 0, 0)
        rewritten = body.replace(b"02/03/2026", b"2026-03-02").replace(b'"100.00"', b"100")
        assert line_counts(await imported(racing_service, rewritten, **REGISTER)) == (0, 6, 0, 0)
        later = _file(thrice, thrice, a_spend_line("T9"), thrice, thrice, twice)
        assert line_counts(await imported(racing_service, later, filename="april.csv", **REGISTER)) == (2, 4, 0, 0)
        other = REGISTER | {"source_system": "elsewhere"}
        assert line_counts(await imported(racing_service, body, **other)) == (6, 0, 0, 0)
    assert len(await racing_service.published()) == 14


async def test_equal_lines_across_batches(racing_service: Harness) -> None:
    """5,000 lines are a batch: equal lines lie before, on and behind its end."""
    async with supplier_service(racing_service) as registered:
        lines = [a_spend_line(f"T{number % 4_000}") for number in range(11_000)]
        done = await imported(racing_service, _file(*lines), **REGISTER)
        assert line_counts(done) == (11_000, 0, 0, 0)
        again = await imported(racing_service, _file(*lines[:9_000], *lines), **REGISTER)
        assert line_counts(again) == (9_000, 11_000, 0, 0)
        assert (done["net_pence_sum"], again["net_pence_sum"]) == (110_000_000, 200_000_000)
    assert registered[NAMED] == "Ardley Paving Ltd"


async def test_unknown_suppliers_are_refused_where_asked(racing_service: Harness) -> None:
    async with supplier_service(racing_service, refuses={published_supplier("Bad", None)[0]}):
        refused = await imported(racing_service, _file(a_spend_line("T1")), **spend())
        partly = await imported(
            racing_service, _file(a_spend_line("T1"), a_spend_line("T2", supplier="Bad")), **REGISTER
        )
    assert (line_counts(refused), refused["refused_pence_sum"]) == ((0, 0, 1, 0), 10_000)
    assert line_counts(partly) == (1, 0, 1, 0)


async def test_suppliers_that_only_supplier_service_knows_are_asked_for(racing_service: Harness) -> None:
    async with supplier_service(racing_service, known={NAMED: "Ardley Paving Ltd"}):
        done = await imported(racing_service, _file(a_spend_line("T1")), **spend())
    assert line_counts(done) == (1, 0, 0, 0)


async def test_more_suppliers_than_are_asked_for_in_vain_are_found(racing_service: Harness) -> None:
    """The ERP registered them in bulk, and the events are not here yet."""
    known = {published_supplier(f"Firm {number}", None)[0]: f"Firm {number}" for number in range(500)}
    lines = [a_spend_line(f"T{number}", supplier=f"Firm {number}") for number in range(500)]
    async with supplier_service(racing_service, known=known):
        done = await imported(racing_service, _file(*lines), **spend())
    assert line_counts(done) == (500, 0, 0, 0)


async def test_suppliers_that_nobody_was_asked_for_are_not_called_unknown(racing_service: Harness) -> None:
    lines = [a_spend_line(f"T{number}", supplier=f"Firm {number}") for number in range(300)]
    async with supplier_service(racing_service):
        done = await imported(racing_service, _file(*lines), **spend())
    assert line_counts(done) == (0, 0, 300, 0)
    refusals = await shown(racing_service, f"/v1/invoice-imports/{done['id']}/refusals?limit=200")
    assert {one["code"] for one in refusals["items"]} == {"supplier-not-found"}
    path = f"/v1/invoice-imports/{done['id']}/refusals?limit=200&cursor={refusals['next']}"
    rest = (await shown(racing_service, path))["items"]
    assert [one["code"] for one in rest] == ["supplier-not-looked-up"] * 100


async def test_vat_of_several_rates_keeps_what_was_paid(racing_service: Harness) -> None:
    header = "Date Paid,Transaction Number,Net Amount,VAT,Gross,Supplier Name"
    lines = (
        "01/06/2010,T1,100.00,17.50,117.50,Ardley Paving Ltd",
        "01/06/2020,T2,434.50,79.00,513.50,Ardley Paving Ltd",
    )
    async with supplier_service(racing_service, known={NAMED: "Ardley Paving Ltd"}):
        done = await imported(racing_service, a_file(*lines, header=header), **spend())
    assert (line_counts(done), done["amount_basis"], done["net_pence_sum"]) == ((2, 0, 0, 0), "net", 53_450)
    page = (await shown(racing_service, "/v1/invoices?sort=id"))["items"]
    assert [(one["gross_pence"], one["lines"][0]["vat_rate"]) for one in page] == [(11_750, "17.5"), (51_350, "18.18")]


@pytest.mark.parametrize(("column", "basis"), [("Gross Amount", "gross"), ("Net", "net"), ("Amount", "unstated")])
async def test_an_import_says_what_its_amounts_are(racing_service: Harness, column: str, basis: str) -> None:
    """Councils publish gross or net of VAT; the Local Government Transparency Code 2015 asks for irrecoverable VAT."""
    header = f"Date Paid,Transaction Number,{column},Supplier Name"
    async with supplier_service(racing_service, known={NAMED: "Ardley Paving Ltd"}):
        body = a_file("01/03/2026,T1,117.50,Ardley Paving Ltd", header=header)
        done = await imported(racing_service, body, **spend())
    assert (done["amount_basis"], done["net_pence_sum"]) == (basis, 11_750)
