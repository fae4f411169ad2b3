"""The programme's figures on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from council_common.fields import Day
from council_common.web.keyset import MAX_LIMIT
from council_common.web.query_models import PageLimit, PageQuery, QueryModel
from pydantic import BaseModel, ConfigDict, Field

from rebate_service.programme_kpis.rules import Breakdown, Figures, Report, mean_days, percentile, share_percent


class PeriodQuery(QueryModel):
    """A period, and what its figures are broken down by."""

    first: Annotated[Day, Field(alias="from", description="First day: payments by the day their file was sent.")]
    last: Annotated[Day, Field(alias="to", description="Last day, included.")]
    by: Breakdown = Breakdown.TOTAL
    as_at: Annotated[
        Day | None, Field(description="What was paid and what was not, as it stood at the end of this day; today.")
    ] = None


class ProgrammeQuery(PeriodQuery, PageQuery):
    """A period, page by page where its figures are broken down by supplier."""

    limit: PageLimit = MAX_LIMIT


class FiguresOut(BaseModel):
    """One row: `bucket` is 2026-03, 2026-Q1, 2026, a supplier's id, a sector, department or cause, or empty.

    Gained by paying before the target day and lost by paying after it stand apart and are never netted. To the penny:
    earned = expected - missed + gained early - late; lost by late payment = late + missed because it was late;
    deducted + to claim = earned + variance. What is not paid on `as_at`: `winnable_pence` is what paying that day
    would earn, `ebbed_pence` what of the expected it would not; `term_over_pence` can be earned no more. `lost_pence`
    is late + missed + ebbed + term over.
    """

    bucket: str
    paid_count: int
    earned_count: int
    missed_count: int
    open_count: int
    base_pence: int
    expected_pence: int
    earned_pence: int
    missed_pence: int
    deducted_pence: int
    to_claim_pence: int
    variance_pence: int
    open_expected_pence: int
    gained_early_count: int
    gained_early_pence: int
    late_count: int
    late_pence: int
    lost_by_late_payment_count: int
    lost_by_late_payment_pence: int
    winnable_pence: int
    ebbed_pence: int
    term_over_count: int
    term_over_pence: int
    lost_pence: int
    mean_days: Decimal | None
    median_days: int | None
    p90_days: int | None
    on_target_count: int
    on_target_percent: Decimal | None

    @classmethod
    def of(cls, bucket: str, figures: Figures) -> Self:
        return cls(
            bucket=bucket,
            paid_count=figures.paid_count,
            earned_count=figures.earned_count,
            missed_count=figures.missed_count,
            open_count=figures.open_count,
            base_pence=figures.base_pence,
            expected_pence=figures.expected_pence,
            earned_pence=figures.earned_pence,
            missed_pence=figures.missed_pence,
            deducted_pence=figures.deducted_pence,
            to_claim_pence=figures.to_claim_pence,
            variance_pence=figures.variance_pence,
            open_expected_pence=figures.open_expected_pence,
            gained_early_count=figures.gained_early_count,
            gained_early_pence=figures.gained_early_pence,
            late_count=figures.late_count,
            late_pence=figures.late_pence,
            lost_by_late_payment_count=figures.lost_by_late_payment_count,
            lost_by_late_payment_pence=figures.lost_by_late_payment_pence,
            winnable_pence=figures.winnable_pence,
            ebbed_pence=figures.ebbed_pence,
            term_over_count=figures.term_over_count,
            term_over_pence=figures.term_over_pence,
            lost_pence=figures.lost_pence,
            mean_days=mean_days(figures.days),
            median_days=percentile(figures.days, 50),
            p90_days=percentile(figures.days, 90),
            on_target_count=figures.on_target_count,
            on_target_percent=share_percent(figures.on_target_count, figures.paid_count),
        )


class ProgrammeOut(BaseModel):
    """The figures of a period; `next` is the cursor of the next suppliers, null on the last page."""

    model_config = ConfigDict(populate_by_name=True)

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    by: Breakdown
    as_at: date
    items: list[FiguresOut]
    total: FiguresOut
    next: str | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            first=report.first,
            last=report.last,
            by=report.by,
            as_at=report.as_at,
            items=[FiguresOut.of(bucket, figures) for bucket, figures in report.figures.items()],
            total=FiguresOut.of("", report.total),
            next=report.next,
        )
