"""What an address may ask for: names the resource does not know are refused, not ignored.

A list that ignores a misspelled filter shows everything.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Any, Self

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from council_common.errors import FieldError, Malformed
from council_common.fields import Day
from council_common.web.keyset import MAX_LIMIT

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


PageLimit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Items on a page.")]


class PageQuery(QueryModel):
    """Which page of a list."""

    limit: PageLimit = 50
    cursor: Annotated[str | None, Field(max_length=1000, description="`next` of the page before.")] = None


class AsAtQuery(QueryModel):
    """The day of a report."""

    as_at: Annotated[Day | None, Field(description="Today when absent.")] = None

    def day(self, *, today: date) -> date:
        """The day asked for."""
        return self.as_at or today


def _explained(error: Any, model: type[QueryModel]) -> InitErrorDetails:
    kind: Any = error["type"]
    if kind == "extra_forbidden":
        known = ", ".join(sorted(model.model_fields))
        kind = PydanticCustomError("unknown_parameter", "unknown here; expected one of {known}", {"known": known})
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))


def refuse_ignored(request: Request) -> None:
    """Refuse the parameters that a route would ignore: all but one of those given twice, all where it has no query."""
    if not request.scope["route"].dependant.query_params:
        errors = [FieldError(name, "unknown here", "no parameters") for name in request.query_params]
    else:
        counted = Counter(name for name, _ in request.query_params.multi_items() if name not in MANY)
        errors = [FieldError(name, "given more than once", "one value") for name, times in counted.items() if times > 1]
    if errors:
        raise Malformed("The parameters are not those that this takes; see errors.", errors=errors)
