"""What a market sector refuses."""

from council_common.errors import Conflict


class MarketSectorTaken(Conflict):
    """The code names another sector already."""

    code = "market-sector-code-taken"
