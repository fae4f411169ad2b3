"""What the list of imports is narrowed by, sorted by, and shows as CSV; the page of an import's refused lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.fields import Day, Form, TextFilter
from council_common.long_work.store import error_code_of, state_of
from council_common.web.keyset import fetch_page
from council_common.web.lists import ResourceList, Where
from council_common.web.query_models import PageQuery
from sqlalchemy import ColumnElement, and_, case, false, func, not_
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports.importing import IMPORT_INVOICES
from invoice_service.intake.invoice_imports.rules import IN_DOUBT, FileFormat, ImportStatus, Profile
from invoice_service.intake.invoice_imports.store import BY_LINE, refusals_of
from invoice_service.intake.invoice_imports.tables import InvoiceImport

_C: Any = InvoiceImport.__table__.c  # type: ignore[attr-defined]


_STATE: Any = state_of(IMPORT_INVOICES.name, _C.id)
_IN_DOUBT: ColumnElement[bool] = (_STATE == ImportStatus.FAILED) & (
    error_code_of(IMPORT_INVOICES.name, _C.id) == IN_DOUBT
)


def _has_status(status: ImportStatus) -> ColumnElement[bool]:
    if status is ImportStatus.IN_DOUBT:
        return _IN_DOUBT
    return and_(_STATE == status, not_(func.coalesce(_IN_DOUBT, false())))  # noqa: SIM300


class ImportList(
    ResourceList,
    of=InvoiceImport,
    sorts=("received_at",),
    default="-received_at",
    csv=(
        *("id", "filename", "format", "profile", "source_system", "supplier_system", "unknown_suppliers"),
        case((_IN_DOUBT, ImportStatus.IN_DOUBT.value), else_=_STATE).label("status"),
        *("bytes", "lines_accepted", "lines_existing", "lines_refused", "lines_skipped"),
        _C.net_pence_sum.label("net_pence"),
        _C.refused_pence_sum.label("refused_pence"),
        *("file_total_pence", "file_total_agrees", "amount_basis", "received_by_name", "received_at"),
    ),
):
    """Imports that meet every condition given; `_from` and `_to` are inclusive."""

    status: Annotated[ImportStatus | None, Where(_has_status)] = None
    format: FileFormat | None = None
    profile: Profile | None = None
    source_system: TextFilter | None = None
    filename: TextFilter | None = None
    sha256: Annotated[str, Form("^[0-9a-f]{64}$", "64 hexadecimal digits, small letters")] | None = None
    received_from: Day | None = None
    received_to: Day | None = None


class RefusalQuery(PageQuery):
    """Which page of an import's refused lines."""

    async def page(self, session: AsyncSession, import_id: UUID) -> tuple[Sequence[Any], str | None]:
        """The refused lines, by line number, and the cursor of the next page."""
        return await fetch_page(session, refusals_of(import_id), BY_LINE, limit=self.limit, cursor=self.cursor)
