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


class ProgrammeQuery(PeriodQuery, PageQuery):
    """A period, page by page where its figures are broken down by supplier."""

    limit: PageLimit = MAX_LIMIT


class FiguresOut(BaseModel):
    """One row: `bucket` is 2026-03, 2026-Q1, 2026, a supplier's id, or empty for the total.

    To the penny: earned = expected - missed + speed effect; deducted + to claim = earned + variance.
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
    speed_effect_pence: int
    deducted_pence: int
    to_claim_pence: int
    variance_pence: int
    open_expected_pence: int
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
            speed_effect_pence=figures.speed_effect_pence,
            deducted_pence=figures.deducted_pence,
            to_claim_pence=figures.to_claim_pence,
            variance_pence=figures.variance_pence,
            open_expected_pence=figures.open_expected_pence,
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
    items: list[FiguresOut]
    total: FiguresOut
    next: str | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            first=report.first,
            last=report.last,
            by=report.by,
            items=[FiguresOut.of(bucket, figures) for bucket, figures in report.figures.items()],
            total=FiguresOut.of("", report.total),
            next=report.next,
        )
