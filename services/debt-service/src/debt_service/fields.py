"""Kinds of input field that rooms share: whole pence, days that can be, no control characters."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from council_common.contracts.fields import SourceReference
from council_common.money import MAX_PENCE
from fastapi import Query
from pydantic import ConfigDict, Field, StringConstraints

# 1 pence short of a trillion pounds on one debt is a typing error; a hundred million pounds is the bound.
MAX_AMOUNT_PENCE = min(MAX_PENCE, 10_000_000_000)
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]+$"

PositivePence = Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_PENCE, description="Whole pence.")]
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=NO_CONTROL_CHARACTERS)
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=NO_CONTROL_CHARACTERS)
]
# Inside what PostgreSQL can reckon with: 9999-12-31 reaches it as infinity.
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2100, 12, 31))]

# What a list is narrowed by. PostgreSQL's text takes no NUL and its bigint no twenty digits.
WantedText = Annotated[str | None, Query(max_length=60, pattern=NO_CONTROL_CHARACTERS)]
WantedPence = Annotated[int | None, Query(ge=0, le=MAX_AMOUNT_PENCE, description="Whole pence.")]


class SourceIn(SourceReference):
    """Where a record comes from; the pair is unique and makes a repeated POST harmless."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Short
    reference: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
    ]
