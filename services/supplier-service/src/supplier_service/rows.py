"""The registry this service's rows hang on, and what their columns share."""

from typing import Any, cast

from council_common.database.tables import service_registry
from sqlalchemy import ColumnElement, DateTime
from sqlmodel import SQLModel, col

UTC_TIME = DateTime(timezone=True)


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""


def as_column(attribute: Any) -> ColumnElement[Any]:
    """An attribute of a row as the column a list sorts by.

    Times of making are sorted by id: ids are UUIDv7, and the primary key serves them.
    """
    found: Any = col(attribute)
    return cast("ColumnElement[Any]", found)
