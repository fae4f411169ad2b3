"""Payments that broke a rule earn what they settle in time, and never a second time."""

from __future__ import annotations

from typing import Any

import pytest
from council_common.contracts.invoices import PaymentExceptionFoundV1
from council_common.contracts.rebates import RebateEarnedV1
from council_common.ids import new_id
from council_common.testing.harness import NOW


async def test_an_overpaid_payment_earns_on_what_it_settles_alone(story: Any) -> None:
    await story.happens(story.agreed(), story.received(), story.paid(day=10, deducted=1_200, overpaid_pence=1))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["rebate_pence"], rebate["base_pence"], rebate["variance_pence"]) == (
        "earned", 1_200, 100_000, 0,
    )  # fmt: skip


async def test_a_second_payment_earns_no_second_rebate(story: Any) -> None:
    """It settles nothing: invoice-service tells of it by an exception, not by `InvoicePaidV1`, and of its return."""
    first = story.paid(day=10, deducted=1_200)
    second = story.paid(day=10, deducted=1_200, payment_id=new_id())
    found = PaymentExceptionFoundV1(
        version=4,
        occurred_at=NOW,
        by="erp",
        invoice_id=story.invoice_id,
        supplier_id=story.supplier_id,
        payment_exception_id=new_id(),
        payment_id=second.payment_id,
        kind="paid_twice",
        recover_pence=118_800,
        hold_reasons=[],
    )
    assert found.type not in story.service.service.handlers.types
    await story.happens(story.agreed(), story.received(), first, story.returned(second))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["payment_id"], rebate["rebate_pence"]) == (
        "earned", str(first.payment_id), 1_200,
    )  # fmt: skip
    assert len(await story.service.published(RebateEarnedV1)) == 1


@pytest.mark.parametrize(
    ("changed", "cause"), [({"method": "direct_debit"}, "direct_debit"), ({"day": -5}, "before_receipt")]
)
@pytest.mark.parametrize(("deducted", "variance"), [(0, None), (1_200, "deducted_though_excluded")])
async def test_neither_a_direct_debit_nor_a_prepayment_earns(
    story: Any, changed: dict[str, Any], cause: str, deducted: int, variance: str | None
) -> None:
    """Excluded by the programmes' terms (payables.md 1.4); on day 0 a prepayment would earn the most there is."""
    await story.happens(story.agreed(), story.received(), story.paid(deducted=deducted, **{"day": 10} | changed))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["cause"], rebate["rebate_pence"]) == ("missed", cause, 0)
    assert rebate["expected_pence"] == 0  # so that the programme's figures do not call it lost
    assert (rebate["variance_cause"], rebate["variance_pence"]) == (variance, deducted)
    async with story.service.as_("auditor") as auditor:
        proof = (await auditor.get(f"/v1/rebates/{rebate['id']}")).json()["proof"]
    assert proof["steps"][-1].endswith("nothing is earned.")
