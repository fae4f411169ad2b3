"""The registry this service's rows hang on."""

from __future__ import annotations

from council_common.database.tables import service_registry
from sqlmodel import SQLModel


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""
