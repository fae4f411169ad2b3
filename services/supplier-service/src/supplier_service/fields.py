"""Fields the rooms share: text that a database and a letter can hold, and how a wrong field is shown."""

from __future__ import annotations

from typing import Annotated

from council_common.errors import FieldError
from council_common.web.field_errors import field_error
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_MANY_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=_ONE_LINE)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_ONE_LINE)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=_MANY_LINES)]
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9_-]*$")
]


class RequestModel(BaseModel):
    """A request: unknown fields are refused, so that a misspelt one is noticed. Refused values are never shown."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


MOST_ERRORS = 100  # of one item: a megabyte of unknown fields is not answered with a hundred megabytes


def field_errors(refusal: ValidationError) -> list[FieldError]:
    """What was wrong with each field, and what would be right; never the value."""
    if refusal.error_count() > MOST_ERRORS:
        return [FieldError("", f"more than {MOST_ERRORS} errors", "the fields of this resource")]
    return [field_error(detail) for detail in refusal.errors(include_url=False, include_input=False)]
