"""Batches of an import, and the counts that prove that no record was lost."""

from dataclasses import dataclass, field, replace

from council_common.imports.column_binding import Row
from council_common.imports.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Total:
    """The sum that the sender wrote on a line, and `sum_pence`, that of all records before it in this reading."""

    line: int
    amount_pence: int
    sum_pence: int


@dataclass(slots=True)
class Counts:
    """What became of the records: `records == accepted + refused + skipped`.

    `refused_pence` sums the refused records whose amount could be read, so that
    `accepted_pence + refused_pence` is what the sender's own total has to be.
    """

    accepted: int = 0
    refused: int = 0
    blank: int = 0
    repeated_headers: int = 0
    totals: int = 0
    fillers: int = 0
    accepted_pence: int = 0
    refused_pence: int = 0

    @property
    def skipped(self) -> int:
        """Records that are neither accepted nor refused."""
        return self.blank + self.repeated_headers + self.totals + self.fillers

    @property
    def records(self) -> int:
        """All records behind the header."""
        return self.accepted + self.refused + self.skipped


@dataclass(slots=True)
class Batch:
    """Up to `batch_records` accepted records, refused ones and totals; `lines` and `rows` run in parallel.

    `cells` runs in parallel with them where the reading keeps cells: the text each row was taken from; so does
    `refused_cells` with `refusals`, empty for a record that has none.
    `last_line` is where the batch ends in the file: the number to go on after. `counts` are those of the whole
    reading up to here.
    """

    lines: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    refused_cells: list[list[str]] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    last_line: int = 0
    counts: Counts = field(default_factory=Counts)

    @property
    def full_size(self) -> int:
        """What the batch holds: a file of nothing but totals must not grow one batch without end."""
        return len(self.lines) + len(self.refusals) + len(self.totals)

    def closed(self, counts: Counts) -> "Batch":
        """The batch with a copy of the counts at its end."""
        self.counts = replace(counts)
        return self
