"""The registry this service's rows hang on, and what their columns share."""

from council_common.database.tables import service_registry
from sqlalchemy import DateTime
from sqlmodel import SQLModel

UTC_TIME = DateTime(timezone=True)


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""
