"""The registry this service's rows hang on."""

from typing import Any, cast

from council_common.database.tables import service_registry
from sqlalchemy import ColumnElement
from sqlmodel import SQLModel


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""


def column(attribute: Any) -> ColumnElement[Any]:
    """A row's attribute as the column it is, where a list sorts by it."""
    return cast("ColumnElement[Any]", attribute)
