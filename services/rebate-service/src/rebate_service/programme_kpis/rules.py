"""The programme's figures from tallies: sums to the penny, days from a histogram."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from rebate_service.rebates.rules import MissedCause, RebateStatus


class Breakdown(StrEnum):
    """What the figures are broken down by."""

    TOTAL = "total"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    SUPPLIER = "supplier"
    SECTOR = "sector"
    DEPARTMENT = "department"
    CAUSE = "cause"


def bucket_name(by: Breakdown, bucket: date | str) -> str:
    """The name of a bucket: 2026-03, 2026-Q1, 2026, a supplier's id, a code, or empty for the total.

    >>> [bucket_name(by, date(2026, 4, 1)) for by in (Breakdown.MONTH, Breakdown.QUARTER, Breakdown.YEAR)]
    ['2026-04', '2026-Q2', '2026']
    """
    if isinstance(bucket, str):
        return bucket
    match by:
        case Breakdown.MONTH:
            return f"{bucket:%Y-%m}"
        case Breakdown.QUARTER:
            return f"{bucket.year}-Q{(bucket.month + 2) // 3}"
    return str(bucket.year)


class Tally(NamedTuple):
    """Rebates alike in bucket, status, cause and days as at a day, counted and summed by the database.

    `early_pence` and `late_pence` are what was earned beyond and below the target day's, payment by payment;
    `winnable_pence` what is not paid would earn that day, `ebbed_pence` what it can earn no more of what was expected.
    """

    bucket: str
    status: str
    elapsed_days: int | None
    on_target: bool
    rebates: int
    base_pence: int
    expected_pence: int
    rebate_pence: int
    deducted_pence: int
    variance_pence: int
    cause: str | None = None
    early_pence: int = 0
    late_pence: int = 0
    winnable_pence: int = 0
    ebbed_pence: int = 0


@dataclass
class Figures:
    """One row of the report, whose sums hold to the penny.

    Earned = expected - missed - late + gained early, of which the last two are never shown as one figure; deducted + to
    claim = earned + variance; lost by late payment = late + missed by late payment; lost = late + missed + term over +
    ebbed.

    The sums are our own definitions: councils publish spend, average days and rebates taken, and no breakdown.
    """

    earned_count: int = 0
    missed_count: int = 0
    open_count: int = 0
    on_target_count: int = 0
    base_pence: int = 0
    expected_pence: int = 0
    earned_pence: int = 0
    missed_pence: int = 0
    deducted_pence: int = 0
    variance_pence: int = 0
    open_expected_pence: int = 0
    gained_early_count: int = 0
    gained_early_pence: int = 0
    late_count: int = 0
    late_pence: int = 0
    missed_late_count: int = 0
    missed_late_pence: int = 0
    winnable_pence: int = 0
    ebbed_pence: int = 0
    term_over_count: int = 0
    term_over_pence: int = 0
    days: dict[int, int] = field(default_factory=dict)

    @property
    def paid_count(self) -> int:
        return self.earned_count + self.missed_count

    @property
    def to_claim_pence(self) -> int:
        """Earned, not deducted, and no variance either: it is claimed from the supplier."""
        return self.earned_pence + self.variance_pence - self.deducted_pence

    @property
    def lost_by_late_payment_count(self) -> int:
        """Payments after their target day."""
        return self.late_count + self.missed_late_count

    @property
    def lost_by_late_payment_pence(self) -> int:
        """What payments after their target day did not earn; nothing that was gained is taken off."""
        return self.late_pence + self.missed_late_pence

    @property
    def lost_pence(self) -> int:
        """All that can be earned no more: by late payment, for other causes, and of what is not paid."""
        return self.late_pence + self.missed_pence + self.term_over_pence + self.ebbed_pence

    def add(self, tally: Tally) -> None:
        """Count one tally in."""
        if tally.status == RebateStatus.EXPECTED:
            self.open_count += tally.rebates
            self.open_expected_pence += tally.expected_pence
            self.winnable_pence += tally.winnable_pence
            self.ebbed_pence += tally.ebbed_pence
            return
        if tally.status == RebateStatus.LOST:
            self.term_over_count += tally.rebates
            self.term_over_pence += tally.expected_pence
            return
        self.base_pence += tally.base_pence
        self.expected_pence += tally.expected_pence
        self.earned_pence += tally.rebate_pence
        self.deducted_pence += tally.deducted_pence
        self.variance_pence += tally.variance_pence
        self.on_target_count += tally.rebates if tally.on_target else 0
        if tally.elapsed_days is not None:  # a cheque's day of arrival may never be known
            self.days[tally.elapsed_days] = self.days.get(tally.elapsed_days, 0) + tally.rebates
        if tally.status == RebateStatus.MISSED:
            self.missed_count += tally.rebates
            self.missed_pence += tally.expected_pence
            if tally.cause == MissedCause.LATE_PAYMENT:
                self.missed_late_count += tally.rebates
                self.missed_late_pence += tally.expected_pence
        else:
            self.earned_count += tally.rebates
            self.gained_early_count += tally.rebates if tally.early_pence else 0
            self.gained_early_pence += tally.early_pence
            self.late_count += tally.rebates if tally.late_pence else 0
            self.late_pence += tally.late_pence


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a period, bucket by bucket, and their total; `next` is the cursor of the next suppliers."""

    first: date
    last: date
    by: Breakdown
    as_at: date
    figures: Mapping[str, Figures]
    total: Figures
    next: str | None = None


def fold(tallies: Iterable[Tally]) -> dict[str, Figures]:
    """Figures bucket by bucket, in the order of the buckets' names."""
    figures: dict[str, Figures] = defaultdict(Figures)
    for tally in tallies:
        figures[tally.bucket].add(tally)
    return dict(sorted(figures.items()))


def percentile(days: Mapping[int, int], percent: int) -> int | None:
    """The smallest number of days within which at least so many percent were paid (nearest rank).

    >>> percentile({8: 5, 10: 4, 40: 1}, 50), percentile({8: 5, 10: 4, 40: 1}, 90)
    (8, 10)
    """
    wanted = -(-sum(days.values()) * percent // 100)
    seen = 0
    for day in sorted(days):
        seen += days[day]
        if seen >= wanted:
            return day
    return None


def mean_days(days: Mapping[int, int]) -> Decimal | None:
    """The arithmetic mean, half up to two places."""
    count = sum(days.values())
    if not count:
        return None
    return _two_places(Decimal(sum(day * number for day, number in days.items())) / count)


def share_percent(part: int, whole: int) -> Decimal | None:
    """A part of a whole in percent, half up to two places."""
    return _two_places(Decimal(100 * part) / whole) if whole else None


def _two_places(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)
