"""Money is filled and stored by name: a field added in the middle, or in another order, shifts nothing."""

from __future__ import annotations

import ast
from collections import namedtuple
from datetime import date
from decimal import Decimal

import pytest
from council_common.database.rows import get_row
from council_common.ids import new_id
from council_common.testing.harness import Harness
from rebate_service.main import SERVICE
from rebate_service.rebates import store
from rebate_service.rebates.record import COLUMNS, RebateFacts, RebateRecord, row_of
from rebate_service.rebates.rules import Assessment, RebateStatus, VarianceCause
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


def a_record() -> RebateRecord:
    """Every column has a value of its own, so that no two can change places unseen."""
    facts = RebateFacts(
        invoice_id=new_id(),
        supplier_id=new_id(),
        invoice_number="INV-1",
        received_on=date(2026, 3, 1),
        vat_shares='[{"vat_rate": "20", "net_pence": 100, "vat_pence": 20}]',
        part_payment=True,
        valid_on=date(2026, 3, 2),
        payment_id=new_id(),
        remitted_on=date(2026, 3, 3),
        arrives_on=date(2026, 3, 4),
        method="bacs",
        disputed=False,
        deducted_pence=11,
    )
    assessment = Assessment(
        status=RebateStatus.MISSED,
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
        variance_cause=VarianceCause.OVER_DEDUCTED,
    )
    return RebateRecord(
        id=new_id(),
        version=3,
        facts=facts,
        agreement_id=new_id(),
        agreement_version=2,
        assessment=assessment,
        rebate_parts='[{"vat_rate": "20", "net_pence": 16, "vat_pence": 17}]',
        returned_on=date(2026, 3, 8),
    )


def test_a_record_fills_every_column_of_the_table_once() -> None:
    columns = {column.name for column in Rebate.__table__.columns}  # type: ignore[attr-defined]
    assert len(COLUMNS) == len(set(COLUMNS))
    assert set(COLUMNS) == columns - {"changed_at"}


def test_another_order_of_fields_shifts_nothing() -> None:
    """Fields inserted in front of all others, and all others turned round: every column keeps its value."""
    record = a_record()
    expected = dict(zip(COLUMNS, row_of(record), strict=True))
    turned = {
        name: namedtuple(name, ["inserted", *reversed(value._fields)])(inserted=0, **value._asdict())
        for name, value in (("facts", record.facts), ("assessment", record.assessment))
    }
    assert dict(zip(COLUMNS, row_of(record._replace(**turned)), strict=True)) == expected  # type: ignore[arg-type]


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
        version=4,
        facts=stored.facts._replace(deducted_pence=stored.assessment.rebate_pence),
        assessment=stored.assessment._replace(rebate_pence=40, rebate_net_pence=19, rebate_vat_pence=21),
    )
    invoice_id = stored.facts.invoice_id
    async with service.runtime.sessions.begin() as session:
        await store.insert_rebates(session, [stored])
        [inserted] = (await store.lock_rebates_of_invoices(session, [invoice_id]))[invoice_id]
        await store.update_rebates(session, [changed])
        [updated] = (await store.lock_rebates_of_invoices(session, [invoice_id]))[invoice_id]
        row = await get_row(session, Rebate, stored.id)
    assert without_json(inserted) == without_json(stored)
    assert without_json(updated) == without_json(changed)
    assert updated.facts.amounts == changed.facts.amounts
    for name, value in zip(COLUMNS, row_of(without_json(changed)), strict=True):
        assert name in {"vat_shares", "rebate_parts"} or getattr(row, name) == value, name


def without_json(record: RebateRecord) -> RebateRecord:
    """JSON comes back as PostgreSQL spaces and orders it."""
    return record._replace(facts=record.facts._replace(vat_shares=""), rebate_parts="")


@pytest.mark.parametrize("name", [*Assessment._fields[:-1], "agreement_id", "agreement_version"])
def test_every_figure_of_an_assessment_is_compared(name: str) -> None:
    record = a_record()
    assert record.is_assessed_like(record._replace(version=9, returned_on=None))
    other = record._replace(assessment=record.assessment._replace(parts=()))
    if name in Assessment._fields:
        other = other._replace(assessment=other.assessment._replace(**{name: None}))
    else:
        other = other._replace(**{name: None})
    assert not record.is_assessed_like(other)
