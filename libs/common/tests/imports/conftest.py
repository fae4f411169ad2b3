from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from council_common.imports import Format, Limits, MappedField, Mapping, Reading, Refusal, Row, read_records
from council_common.imports.batches import Total

PAYMENTS = Mapping(
    fields=(
        MappedField(name="number", columns=("Number", "Invoice No."), presence="value"),
        MappedField(name="paid_on", columns=("Paid On",), kind="date", presence="value"),
        MappedField(name="net_pence", columns=("Net", "Net Amount"), kind="money", presence="value"),
        MappedField(name="supplier", columns=("Supplier", "supplier.name")),
    ),
    amount="net_pence",
    totals=True,
)


@dataclass
class Outcome:
    reading: Reading
    lines: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    last_lines: list[int] = field(default_factory=list)

    @property
    def suppliers(self) -> list[object]:
        return [row[3] for row in self.rows]


Read = Callable[..., Outcome]


@pytest.fixture
def mapping() -> Mapping:
    return PAYMENTS


@pytest.fixture
def read() -> Read:
    def run(
        content: bytes,
        *,
        format: Format = "csv",  # noqa: A002
        mapping: Mapping = PAYMENTS,
        limits: Limits | None = None,
        chunk: int = 65_536,
        **options: object,
    ) -> Outcome:
        def source() -> list[bytes]:
            return [content[start : start + chunk] for start in range(0, len(content), chunk)]

        reading = read_records(source, format=format, mapping=mapping, limits=limits or Limits(), **options)
        outcome = Outcome(reading)
        for batch in reading:
            outcome.lines += batch.lines
            outcome.rows += batch.rows
            outcome.refusals += batch.refusals
            outcome.totals += batch.totals
            outcome.last_lines.append(batch.last_line)
        counts = reading.counts
        assert counts.accepted == len(outcome.rows) == len(outcome.lines)
        assert counts.refused == len(outcome.refusals)
        return outcome

    return run
