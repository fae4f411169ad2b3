"""One door for the council's systems and people: which service answers which path, in every mode of running.

`owner_of` answers that question; `envoy_config` turns the same table into Envoy's configuration.
"""

from council_gateway.envoy.config import envoy_config
from council_gateway.table import TABLE, Kind, Resource, Table, owner_of

__all__ = ["TABLE", "Kind", "Resource", "Table", "envoy_config", "owner_of"]
