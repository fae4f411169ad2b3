"""Column types and kinds of field that the rooms share."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from council_common.contracts.fields import PRINTABLE
from council_common.money import MAX_PENCE
from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints
from sqlalchemy import DateTime

UTC_TIME: Any = DateTime(timezone=True)


def without_nul(text: str) -> str:
    """The text, which PostgreSQL can store. Raises ValueError."""
    if "\0" in text:
        raise ValueError("text without NUL characters")
    return text


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def only_a_day(value: object) -> object:
    """What is a day already, or written as one: pydantic also takes seconds since 1970. Raises ValueError."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("not a date; expected a date such as 2026-01-31")


# Far enough for everything that is real, near enough to be counted on from.
Day = Annotated[date, BeforeValidator(only_a_day), Field(ge=date(1900, 1, 1), le=date(2100, 12, 31))]
Pence = Annotated[StrictInt, Field(ge=-MAX_PENCE, le=MAX_PENCE, description="Whole pence.")]
PositivePence = Annotated[StrictInt, Field(ge=0, le=MAX_PENCE, description="Whole pence.")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=PRINTABLE)]
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=PRINTABLE)]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True), AfterValidator(without_nul)
]
# What a list can be narrowed to: any text that PostgreSQL can compare.
TextQuery = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
