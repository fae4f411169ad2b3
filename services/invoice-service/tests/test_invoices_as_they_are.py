"""Invoices as suppliers write them: post-dated, VAT worked out on the total, thousands of lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.money import half_up
from council_common.testing.harness import Harness
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.register.invoices.rules import Line, problems_of
from invoice_service.register.invoices.schemas import InvoiceIn
from invoice_stories import a_supplier, an_invoice, received, shown


def of_lines(*nets_and_vats: tuple[int, int], vat_pence: int, rate: str = "20") -> dict[str, Any]:
    """An invoice of lines at one rate, with a total of VAT of its own."""
    lines = [{"description": "", "net_pence": net, "vat_rate": rate, "vat_pence": vat} for net, vat in nets_and_vats]
    net_pence = sum(net for net, _ in nets_and_vats)
    return {"lines": lines, "net_pence": net_pence, "vat_pence": vat_pence, "gross_pence": net_pence + vat_pence}


async def test_an_invoice_dated_after_its_receipt_is_recorded_with_a_flag(service: Harness) -> None:
    """Case H1, a licence for the month after, here of March; and its due date follows from its receipt."""
    await a_supplier(service)
    plain = await received(service, number="1")
    invoice = await received(service, number="PD-1", issued_on="2026-03-09", received_on="2026-03-06")
    assert (plain["flags"], invoice["flags"]) == ([], ["dated_after_receipt"])
    assert (invoice["status"], invoice["issued_on"], invoice["due_on"]) == ("received", "2026-03-09", "2026-04-04")
    stated = await received(service, number="2", issued_on="2026-04-01", received_on="2026-03-02", due_on="2026-03-20")
    flagged = (await shown(service, "/v1/invoices?flag=dated_after_receipt&sort=id"))["items"]
    assert [one["id"] for one in flagged] == [invoice["id"], stated["id"]]


async def test_vat_worked_out_on_the_total_is_accepted_with_its_penny_on_the_last_line(service: Harness) -> None:
    """Three lines of £3.33 at 20 %: 67p each is £2.01, of £9.99 it is £2.00."""
    await a_supplier(service)
    body = of_lines((333, 67), (333, 67), (333, 67), vat_pence=200)
    invoice = await received(service, **body)
    assert [line["vat_pence"] for line in invoice["lines"]] == [67, 67, 66]
    assert (invoice["vat_pence"], invoice["gross_pence"]) == (200, 1_199)
    async with service.as_("erp") as erp:
        again = await erp.post("/v1/invoices", json=an_invoice(**body))
    assert (again.status_code, again.json()["id"]) == (200, invoice["id"])
    [event] = await service.published(InvoiceReceivedV1)
    assert [(share.net_pence, share.vat_pence) for share in event.vat_shares] == [(999, 200)]


@pytest.mark.parametrize("vat_pence", [198, 202, 0, -200])
async def test_a_total_that_is_nobodys_vat_is_refused(service: Harness, vat_pence: int) -> None:
    await a_supplier(service)
    body = an_invoice(**of_lines((333, 67), (333, 67), (333, 67), vat_pence=vat_pence))
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "sums-differ")


async def test_an_invoice_has_thousands_of_lines(service: Harness) -> None:
    await a_supplier(service)
    invoice = await received(service, **of_lines(*[(100, 20)] * 5_000, vat_pence=100_000))
    assert (len(invoice["lines"]), invoice["gross_pence"]) == (5_000, 600_000)
    assert len((await shown(service, f"/v1/invoices/{invoice['id']}"))["lines"]) == 5_000
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice("2", **of_lines(*[(1, 0)] * 10_001, vat_pence=0)))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "lines")


@given(
    priced=st.lists(st.tuples(st.sampled_from(["20", "5", "17.5"]), st.integers(1, 100_000)), min_size=1, max_size=60),
    down=st.booleans(),
    by_line_down=st.booleans(),
    sign=st.sampled_from([1, -1]),
)
def test_both_ways_that_hmrc_allows_are_accepted(
    *, priced: list[tuple[str, int]], down: bool, by_line_down: bool, sign: int
) -> None:
    """Lines rounded either way, the total worked out by rate and rounded either way: the lines sum to it."""

    def vat(net: int, rate: str, *, cut: bool) -> int:
        exact = (abs(net) * int(Decimal(rate) * 10), 1_000)
        return sign * (exact[0] // exact[1] if cut else half_up(*exact))

    nets: dict[str, int] = {}
    lines = []
    for rate, net in priced:
        pence = vat(net, rate, cut=by_line_down)
        lines.append({"net_pence": sign * net, "vat_rate": rate, "vat_pence": pence})
        if pence:
            nets[rate] = nets.get(rate, 0) + net
    net_pence, vat_pence = (
        sign * sum(net for _, net in priced),
        sum(vat(net, rate, cut=down) for rate, net in nets.items()),
    )
    if not vat_pence:
        return
    kind = "invoice" if sign > 0 else "credit_note"
    amounts = {"net_pence": net_pence, "vat_pence": vat_pence, "gross_pence": net_pence + vat_pence}
    new = InvoiceIn.model_validate(an_invoice(kind=kind, lines=lines, **amounts)).new_invoice()
    assert sum(line.vat_pence for line in new.lines) == vat_pence
    assert problems_of(new, today=new.received_on) == []
    assert all(isinstance(line, Line) for line in new.lines)
