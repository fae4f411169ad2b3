"""What the list of agreements is narrowed by and shows as CSV: each by the version that stands for it today."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from council_common.web.csv_export import NameBeside
from council_common.web.lists import TODAY, ResourceList, Where
from sqlalchemy import ColumnElement, and_, case, exists, not_, or_, select

from rebate_service.agreements.rules import AgreementStatus
from rebate_service.agreements.tables import Agreement, AgreementVersion

_AGREEMENT: Any = Agreement.__table__.c  # type: ignore[attr-defined]
_VERSION: Any = AgreementVersion.__table__.c  # type: ignore[attr-defined]

_of_agreement = _VERSION.agreement_id == _AGREEMENT.id
_begins, _ends = _VERSION.effective_from, _VERSION.effective_to
_never_in_force = _ends < _begins
_in_force = and_(_begins <= TODAY, or_(_ends.is_(None), _ends >= TODAY))
_planned = and_(_begins > TODAY, or_(_ends.is_(None), _ends >= _begins))
_STATUS = case((_in_force, AgreementStatus.ACTIVE), (_planned, AgreementStatus.PLANNED), else_=AgreementStatus.ENDED)

# `rules.shown_version` in SQL: the one in force today, else the next to come, else the last.
_shown = (
    select(*AgreementVersion.__table__.c, _STATUS.label("status"))  # type: ignore[attr-defined]
    .where(_of_agreement)
    .order_by(
        case((_in_force, 0), (_planned, 1), else_=2),
        case((_planned, _begins)).asc(),
        case((_never_in_force, 1), else_=0),
        _begins.desc(),
        _VERSION.number,
    )
    .limit(1)
    .correlate(Agreement.__table__)  # type: ignore[attr-defined]
    .lateral("shown")
)


def _has_status(status: AgreementStatus) -> ColumnElement[bool]:
    active, planned = exists().where(_of_agreement, _in_force), exists().where(_of_agreement, _planned)
    match status:
        case AgreementStatus.ACTIVE:
            return active
        case AgreementStatus.PLANNED:
            return and_(not_(active), planned)
    return and_(not_(active), not_(planned))


class AgreementList(
    ResourceList,
    of=Agreement,
    default="-id",
    csv=(
        *("id", "supplier_id"),
        _shown.c.number.label("agreement_version"),
        *(_shown.c[name] for name in ("effective_from", "effective_to", "status", "term_days", "target_day")),
        *(_shown.c[name] for name in ("reference_rate_percent", "clock_start", "clock_end")),
        *(_shown.c[name] for name in ("rebate_base", "vat_mode", "collection")),
    ),
    names=(NameBeside("supplier_id", "supplier", "/v1/suppliers"),),
):
    """Agreements, newest first, each by the version that is in force today, or comes next, or was the last."""

    supplier_id: UUID | None = None
    status: Annotated[AgreementStatus | None, Where(_has_status)] = None
