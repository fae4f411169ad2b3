"""What an address may ask for: names the resource does not know are refused, not ignored.

A list that ignores a misspelled filter shows everything.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


class QueryModel(BaseModel):
    """The query parameters of a route, taken as `query: Annotated[MyQuery, Query()]`."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="wrap")
    @classmethod
    def _say_what_is_known(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as refused:
            explained = [_explained(error, cls) for error in refused.errors()]
            raise ValidationError.from_exception_data(cls.__name__, explained) from None


def _explained(error: Any, model: type[QueryModel]) -> InitErrorDetails:
    kind: Any = error["type"]
    if kind == "extra_forbidden":
        known = ", ".join(sorted(model.model_fields))
        kind = PydanticCustomError("unknown_parameter", "unknown here; expected one of {known}", {"known": known})
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))
