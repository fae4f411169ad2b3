"""The registry this service's rows hang on."""

from typing import Any

from council_common.database.tables import service_registry
from sqlmodel import SQLModel


class Row(SQLModel, registry=service_registry()):
    """What every row of this service derives from."""

    def values(self, *without: str) -> dict[str, Any]:
        """The row's columns by name, except some, as they are (enumerations are kept as text)."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in without}
