"""What a market sector refuses."""

from council_common.errors import Conflict, NotFound


class NoSuchMarketSector(NotFound):
    """No sector has this code."""

    code = "no-such-market-sector"


class MarketSectorTaken(Conflict):
    """The code names another sector already."""

    code = "market-sector-code-taken"
