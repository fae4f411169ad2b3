"""What an address may ask for: names the resource does not know are refused, not ignored.

A list that ignores a misspelled filter shows everything.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from council_common.errors import FieldError, Malformed

MANY = frozenset({"ids"})
"""Parameters that may come more than once; of another one all but the last would be ignored."""


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


async def _each_once(request: Request) -> None:
    counted = Counter(name for name, _ in request.query_params.multi_items() if name not in MANY)
    errors = [FieldError(name, "given more than once", "one value") for name, times in counted.items() if times > 1]
    if errors:
        raise Malformed("A parameter was given more than once; see errors.", errors=errors)


EachOnce = Depends(_each_once)
"""In a route's `dependencies`: a parameter that is given twice is refused, not half ignored."""
