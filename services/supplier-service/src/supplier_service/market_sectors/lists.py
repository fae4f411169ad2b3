"""What the list of market sectors is narrowed by, sorted by, and shows as CSV."""

from __future__ import annotations

from council_common.fields import Code
from council_common.web.lists import ResourceList

from supplier_service.market_sectors.tables import MarketSector


class MarketSectorList(
    ResourceList, of=MarketSector, sorts=("code", "name"), default="code", csv=("id", "code", "name", "created_at")
):
    """Market sectors, a few dozen."""

    code: Code | None = None
