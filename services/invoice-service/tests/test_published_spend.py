from typing import Any

from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.testing.harness import Harness
from invoice_stories import SPEND_HEADER, a_file, a_spend_line, imported, shown, spend
from supplier_stand_in import supplier_service

REGISTER = spend(unknown_suppliers="register")


def _counts(import_: dict[str, Any]) -> tuple[int, ...]:
    return tuple(import_[f"lines_{name}"] for name in ("accepted", "existing", "refused", "skipped"))


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
    assert _counts(done) == (3, 0, 1, 1)
    assert (done["net_pence_sum"], done["file_total_pence"], done["file_total_agrees"]) == (123_456, 123_456, True)
    assert sorted(registered) == ["name:ardley paving ltd", "redacted"]
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
        assert _counts(await imported(racing_service, body, **REGISTER)) == (6, 0, 0, 0)
        assert _counts(await imported(racing_service, body, filename="again.csv", **REGISTER)) == (0, 6, 0, 0)
        rewritten = body.replace(b"02/03/2026", b"2026-03-02").replace(b'"100.00"', b"100")
        assert _counts(await imported(racing_service, rewritten, **REGISTER)) == (0, 6, 0, 0)
        later = _file(thrice, thrice, a_spend_line("T9"), thrice, thrice, twice)
        assert _counts(await imported(racing_service, later, filename="april.csv", **REGISTER)) == (2, 4, 0, 0)
        other = REGISTER | {"source_system": "elsewhere"}
        assert _counts(await imported(racing_service, body, **other)) == (6, 0, 0, 0)
    assert len(await racing_service.published()) == 14


async def test_equal_lines_across_batches(racing_service: Harness) -> None:
    """5,000 lines are a batch: equal lines lie before, on and behind its end."""
    async with supplier_service(racing_service) as registered:
        lines = [a_spend_line(f"T{number % 4_000}") for number in range(11_000)]
        done = await imported(racing_service, _file(*lines), **REGISTER)
        assert _counts(done) == (11_000, 0, 0, 0)
        again = await imported(racing_service, _file(*lines[:9_000], *lines), **REGISTER)
        assert _counts(again) == (9_000, 11_000, 0, 0)
        assert (done["net_pence_sum"], again["net_pence_sum"]) == (110_000_000, 200_000_000)
    assert registered["name:ardley paving ltd"] == "Ardley Paving Ltd"


async def test_unknown_suppliers_are_refused_where_asked(racing_service: Harness) -> None:
    async with supplier_service(racing_service, refuses={"name:bad"}):
        refused = await imported(racing_service, _file(a_spend_line("T1")), **spend())
        partly = await imported(
            racing_service, _file(a_spend_line("T1"), a_spend_line("T2", supplier="Bad")), **REGISTER
        )
    assert (_counts(refused), refused["refused_pence_sum"]) == ((0, 0, 1, 0), 10_000)
    assert _counts(partly) == (1, 0, 1, 0)


async def test_suppliers_that_only_supplier_service_knows_are_asked_for(racing_service: Harness) -> None:
    async with supplier_service(racing_service, known={"name:ardley paving ltd": "Ardley Paving Ltd"}):
        done = await imported(racing_service, _file(a_spend_line("T1")), **spend())
    assert _counts(done) == (1, 0, 0, 0)
