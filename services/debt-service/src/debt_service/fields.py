"""Kinds of input field that rooms share: whole pence and no control characters."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from council_common.contracts.fields import SourceReference
from council_common.money import MAX_PENCE
from pydantic import ConfigDict, Field, StringConstraints

# 1 pence short of a trillion pounds on one debt is a typing error; a hundred million pounds is the bound.
MAX_AMOUNT_PENCE = min(MAX_PENCE, 10_000_000_000)
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]+$"

PositivePence = Annotated[int, Field(strict=True, ge=1, le=MAX_AMOUNT_PENCE, description="Whole pence.")]
PenceOrNone = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_PENCE, description="Whole pence.")]
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=NO_CONTROL_CHARACTERS)
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=NO_CONTROL_CHARACTERS)
]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2100, 12, 31))]


class SourceIn(SourceReference):
    """Where a record comes from; the pair is unique and makes a repeated POST harmless."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: Short
    reference: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS)
    ]
