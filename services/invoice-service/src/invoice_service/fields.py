"""Column types and kinds of field that the rooms share."""

from __future__ import annotations

from typing import Annotated, Any

from council_common.contracts.fields import PRINTABLE
from council_common.money import MAX_PENCE
from pydantic import AfterValidator, Field, StrictInt, StringConstraints
from sqlalchemy import DateTime

UTC_TIME: Any = DateTime(timezone=True)


def without_nul(text: str) -> str:
    """The text, which PostgreSQL can store. Raises ValueError."""
    if "\0" in text:
        raise ValueError("text without NUL characters")
    return text


Pence = Annotated[StrictInt, Field(ge=-MAX_PENCE, le=MAX_PENCE, description="Whole pence.")]
PositivePence = Annotated[StrictInt, Field(ge=0, le=MAX_PENCE, description="Whole pence.")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=PRINTABLE)]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=PRINTABLE)]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True), AfterValidator(without_nul)
]
