"""Money to recover from a supplier becomes a receivable."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from council_common.contracts.debts import ReceivableRaisedV1
from council_common.contracts.invoices import PaymentExceptionResolvedV1
from council_common.errors import NotFound
from council_common.ids import new_id
from council_common.testing.harness import NOW


def resolved(customer_id: str | None, **changed: Any) -> PaymentExceptionResolvedV1:
    """An invoice paid twice, whose £1,188.00 are to come back."""
    return PaymentExceptionResolvedV1(
        **{
            "version": 7,
            "occurred_at": NOW,
            "by": "manager",
            "invoice_id": new_id(),
            "supplier_id": new_id(),
            "payment_exception_id": new_id(),
            "payment_id": new_id(),
            "kind": "paid_twice",
            "resolution": "receivable_raised",
            "recover_pence": 118_800,
            "number": "INV-0001",
            "customer_id": customer_id and UUID(customer_id),
        }
        | changed
    )


async def test_money_to_recover_becomes_a_receivable_once(office) -> None:
    customer = await office.customer()
    event = resolved(customer["id"])
    await office.service.deliver(event)
    await office.service.deliver(event)
    found = await office.get("receivables", source_system="invoice-service")
    [charge] = found["items"]
    assert (charge["customer_id"], charge["gross_pence"], charge["outstanding_pence"], charge["due_on"]) == (
        customer["id"], 118_800, 118_800, "2026-04-10",
    )  # fmt: skip
    assert charge["source"]["reference"] == str(event.payment_exception_id)
    assert "INV-0001" in charge["lines"][0]["description"]
    [raised] = await office.service.published(ReceivableRaisedV1)
    assert (str(raised.receivable_id), raised.debt_type) == (charge["id"], "supplier_overpayment")
    assert (await office.get("control-accounts/reconciliation", start="2026-01-01"))["differences"] == []


async def test_other_resolutions_charge_nobody_and_an_unknown_customer_is_not_lost(office) -> None:
    await office.service.deliver(resolved(None, resolution="set_off"))
    assert await office.service.published(ReceivableRaisedV1) == []
    with pytest.raises(NotFound):
        await office.service.deliver(resolved(str(new_id())))
