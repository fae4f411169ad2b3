"""A thousand files in layouts that nobody has seen: each is read exactly or asked about, and few are asked about."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from random import Random

import pytest
from council_common.imports import DoubtfulFile, UnreadableFile, read_records, settle_dates, surveyed_dates
from council_common.imports.published_spend import PUBLISHED_SPEND, PublishedSpendLine, amount_basis

sys.path.insert(0, str(Path(__file__).parent))
from layouts import Layout, a_layout

FILES = 1_000
TODAY = date(2026, 12, 1)


def _read(layout: Layout) -> tuple[list[tuple[date, int, str]], list[bool], str] | None:
    """The lines as they would be stored, whether each has a number, and the basis; None where the sender is asked."""
    columns = surveyed_dates(lambda: [layout.content], format="csv", mapping=PUBLISHED_SPEND)
    settled = settle_dates(columns, known={}, past={"paid_on"}, today=TODAY)
    mapping = PUBLISHED_SPEND.with_date_orders(settled.orders)
    reading = read_records(lambda: [layout.content], format="csv", mapping=mapping)
    if settled.doubts:
        return None
    try:
        rows = [PublishedSpendLine(*row) for batch in reading for row in batch.rows]
    except DoubtfulFile:
        return None
    assert reading.counts.refused == 0
    found = [(row.paid_on, row.net_pence, row.supplier_name or "") for row in rows]
    return found, [row.transaction_number is not None for row in rows], amount_basis(reading.binding)


@pytest.mark.timeout(300)
def test_a_thousand_layouts_are_read_exactly_or_asked_about() -> None:
    random = Random(20_261_201)  # noqa: S311 - the same thousand files each time
    asked = unreadable = unambiguous = 0
    otherwise: list[int] = []
    for number in range(FILES):
        layout = a_layout(random)
        unambiguous += not layout.is_ambiguous
        try:
            read = _read(layout)
        except UnreadableFile:
            read = None
            unreadable += 1
        if read is None:
            asked += not layout.is_ambiguous
        elif read != (layout.lines, [layout.has_transaction_number] * len(layout.lines), layout.amount_basis):
            otherwise.append(number)
    assert otherwise == []
    assert unambiguous > 0.85 * FILES
    assert asked <= 0.05 * unambiguous
    assert unreadable <= 0.01 * FILES
