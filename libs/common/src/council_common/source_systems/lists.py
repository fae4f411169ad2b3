"""What the list of bindings is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy import ColumnElement

from council_common.database.source_systems import SourceSystemBinding
from council_common.fields import ShortName, TextFilter
from council_common.identity.source_systems import CallerKind, key_of
from council_common.web.lists import ResourceList, Where

_C: Any = SourceSystemBinding.__table__.c  # type: ignore[attr-defined]


def _of_system(name: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = _C.system_key == key_of(name)
    return condition


def _in_force(wanted: bool) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = _C.ended_at.is_(None) if wanted else _C.ended_at.is_not(None)
    return condition


class SourceSystemList(
    ResourceList,
    of=SourceSystemBinding,
    sorts=("bound_at",),
    default="-bound_at",
    csv=(
        "id",
        "system",
        "caller_kind",
        "caller",
        "first_use",
        "bound_by_name",
        "bound_at",
        "ended_by_name",
        "ended_at",
    ),
):
    """Source systems and who may record under their names, ended bindings among them; every condition given is met."""

    system: Annotated[ShortName | None, Where(_of_system)] = None
    caller_kind: CallerKind | None = None
    caller: TextFilter | None = None
    first_use: bool | None = None
    in_force: Annotated[bool | None, Where(_in_force)] = None
