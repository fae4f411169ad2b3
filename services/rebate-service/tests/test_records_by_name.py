"""Money is filled and stored by name: a field added in the middle, or in another order, shifts nothing."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from council_common.ids import new_id
from council_common.testing.harness import Harness
from rebate_service.main import SERVICE
from rebate_service.rebates import store
from rebate_service.rebates.events import RebateChange
from rebate_service.rebates.record import RebateRecord, facts_of, is_assessed_alike
from rebate_service.rebates.rules import Assessment
from rebate_service.rebates.tables import Rebate

SOURCES = sorted((SERVICE.folder / "src").rglob("*.py"))
RECORDS = {
    "RebateRecord",
    "RebateFacts",
    "PaymentFacts",
    "Assessment",
    "AmountAtVatRate",
    "RebateAtVatRate",
    "ExactRate",
    "VersionInForce",
    "Terms",
    "Tally",
    "QuotedDay",
}
AT = datetime(2026, 3, 11, 9, 30, tzinfo=UTC)


def a_record() -> RebateRecord:
    """Every field has a value of its own, so that no two can change places unseen."""
    return RebateRecord(
        id=new_id(),
        version=3,
        invoice_id=new_id(),
        payment_id=new_id(),
        supplier_id=new_id(),
        invoice_number="INV-1",
        received_on=date(2026, 3, 1),
        valid_on=date(2026, 3, 2),
        remitted_on=date(2026, 3, 3),
        arrives_on=date(2026, 3, 4),
        method="bacs",
        vat_shares='[{"vat_rate": "20", "net_pence": 100, "vat_pence": 20}]',
        disputed=False,
        part_payment=True,
        deducted_pence=11,
        agreement_id=new_id(),
        agreement_version=2,
        status="missed",
        cause="late_payment",
        clock_started_on=date(2026, 3, 5),
        clock_ended_on=date(2026, 3, 6),
        target_on=date(2026, 3, 7),
        elapsed_days=12,
        accelerated_days=13,
        rate_percent=Decimal("0.14"),
        base_pence=15,
        rebate_net_pence=16,
        rebate_vat_pence=17,
        rebate_pence=33,
        expected_pence=34,
        variance_pence=35,
        variance_cause="over_deducted",
        rebate_parts='[{"vat_rate": "20", "net_pence": 16, "vat_pence": 17}]',
        returned_on=date(2026, 3, 8),
        changed_at=AT,
    )


def test_the_record_has_the_columns_of_the_table() -> None:
    columns = {column.name for column in Rebate.__table__.columns}  # type: ignore[attr-defined]
    assert set(RebateRecord._fields) == columns
    assert set(Assessment._fields) - {"parts"} <= columns


def test_records_are_filled_by_keyword_only() -> None:
    filled = 0
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            assert not (isinstance(node, ast.Attribute) and node.attr == "_make"), source.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RECORDS:
                assert not node.args, f"{source.name}:{node.lineno} fills {node.func.id} by position"
                filled += 1
    assert filled > len(RECORDS)


async def test_a_record_comes_back_as_it_was_stored(service: Harness) -> None:
    stored = a_record()
    changed = stored._replace(
        version=4, deducted_pence=stored.rebate_pence, rebate_pence=40, rebate_net_pence=19, rebate_vat_pence=21
    )
    async with service.runtime.sessions.begin() as session:
        await store.save_changes(session, [RebateChange(None, stored, "erp")], at=AT)
        [inserted] = (await store.lock_rebates_of_invoices(session, [stored.invoice_id]))[stored.invoice_id]
        await store.save_changes(session, [RebateChange(stored, changed, "erp")], at=AT)
        [updated] = (await store.lock_rebates_of_invoices(session, [stored.invoice_id]))[stored.invoice_id]
        row = await store.get_rebate(session, stored.id)
    assert inserted._asdict() == with_json_of(inserted, stored)
    assert updated._asdict() == with_json_of(updated, changed)
    for name in set(RebateRecord._fields) - {"vat_shares", "rebate_parts"}:
        assert getattr(row, name) == getattr(changed, name), name
    assert facts_of(updated) == facts_of(changed)


def with_json_of(read: RebateRecord, written: RebateRecord) -> dict[str, Any]:
    """What was written, with JSON as PostgreSQL spaces and orders it."""
    assert read.amounts == written.amounts
    return written._asdict() | {"vat_shares": read.vat_shares, "rebate_parts": read.rebate_parts}


@pytest.mark.parametrize("name", [*(set(Assessment._fields) - {"parts"}), "agreement_id", "agreement_version"])
def test_every_figure_of_an_assessment_is_compared(name: str) -> None:
    record = a_record()
    assert is_assessed_alike(record, record._replace(version=9, changed_at=datetime(2026, 4, 1, tzinfo=UTC)))
    assert not is_assessed_alike(record, record._replace(**{name: None}))
