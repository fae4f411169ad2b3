"""What the list of suppliers is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from typing import Annotated, Any

from council_common.fields import Code, Day, TextFilter
from council_common.notes.lists import NoteFilter, noted
from council_common.web.lists import ResourceList, Where
from pydantic import Field
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from supplier_service.market_sectors.tables import MarketSector
from supplier_service.suppliers.rules import SupplierStatus
from supplier_service.suppliers.schemas import CompanyNumber
from supplier_service.suppliers.tables import Supplier

_C: Any = Supplier.__table__.c  # type: ignore[attr-defined]
_PAYMENTS_HELD = or_(_C.status == SupplierStatus.HELD, _C.open_bank_account_change_id.is_not(None))
_SECTOR_NAME = select(col(MarketSector.name)).where(col(MarketSector.code) == _C.market_sector).scalar_subquery()


def _name_has(part: str) -> ColumnElement[bool]:
    has_it: ColumnElement[bool] = _C.name.icontains(part, autoescape=True)
    return has_it


def _payments_held(held: bool) -> ColumnElement[bool]:
    return _PAYMENTS_HELD if held else ~_PAYMENTS_HELD


class SupplierList(
    ResourceList,
    of=Supplier,
    sorts=("registered_at", "name"),
    default="registered_at",
    csv=(
        *("id", "source_system", "source_reference", "name", "company_number", "vat_number", "market_sector"),
        _SECTOR_NAME.label("market_sector_name"),
        *("payment_terms_days", "status", _PAYMENTS_HELD.label("payments_held"), "registered_at"),
    ),
):
    """Suppliers that meet every condition given. The CSV has no contacts, addresses or accounts."""

    source_system: TextFilter | None = None
    source_reference: TextFilter | None = None
    status: SupplierStatus | None = None
    market_sector: Code | None = None
    company_number: CompanyNumber | None = None
    registered_from: Day | None = None
    registered_to: Day | None = None
    q: Annotated[TextFilter | None, Where(_name_has), Field(description="Part of the name, in any case.")] = None
    held: Annotated[
        bool | None, Where(_payments_held), Field(description="Whether payments are held, for whatever reason.")
    ] = None
    note: Annotated[NoteFilter | None, noted("supplier", _C.id)] = None
