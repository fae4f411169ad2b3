"""What the list of saved readings is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from council_common.fields import Day, TextFilter
from council_common.web.lists import ResourceList, Where
from sqlalchemy import ColumnElement

from invoice_service.intake.import_readings.tables import ImportReading

_C: Any = ImportReading.__table__.c  # type: ignore[attr-defined]


def _is_withdrawn(withdrawn: bool) -> ColumnElement[bool]:
    is_withdrawn: ColumnElement[bool] = _C.withdrawn_at.is_not(None)
    return is_withdrawn if withdrawn else ~is_withdrawn


class ImportReadingList(
    ResourceList,
    of=ImportReading,
    sorts=("recorded_at",),
    default="-recorded_at",
    csv=(
        "id",
        "source_system",
        "profile",
        "import_id",
        "recorded_by",
        "recorded_by_name",
        "recorded_at",
        "withdrawn_at",
    ),
):
    """Saved readings that meet every condition given; `_from` and `_to` are inclusive."""

    source_system: TextFilter | None = None
    profile: TextFilter | None = None
    withdrawn: Annotated[bool | None, Where(_is_withdrawn)] = None
    recorded_from: Day | None = None
    recorded_to: Day | None = None
