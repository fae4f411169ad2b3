"""Money is whole pence; what falls between two pence is rounded by `half_up` and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, NoReturn

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

MAX_PENCE = 99_999_999_999_999  # just under a trillion pounds: inside a PostgreSQL bigint with room to sum


def half_up(numerator: int, denominator: int) -> int:
    """A fraction to the nearest whole number, halves away from zero, so that a credit mirrors its invoice.

    In whole numbers from end to end: a quotient cut to 28 digits first falls short of some halves.

    >>> half_up(5, 2), half_up(-5, 2), half_up(7, 3), half_up(5, -2)
    (3, -3, 2, -3)
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    twice = 2 * denominator
    return (2 * numerator + denominator) // twice if numerator >= 0 else -((denominator - 2 * numerator) // twice)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of sterling in whole pence, as people read it; negative for credits.

    >>> str(Money(118_800)), str(Money(-5))
    ('£1,188.00', '-£0.05')
    """

    pence: int

    def __post_init__(self) -> None:
        if not isinstance(self.pence, int) or isinstance(self.pence, bool):
            raise TypeError(f"money is whole pence, not {self.pence!r}")

    def __str__(self) -> str:
        sign = "-" if self.pence < 0 else ""
        pounds, pence = divmod(abs(self.pence), 100)
        return f"{sign}£{pounds:,}.{pence:02d}"


_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


def _percent(value: object) -> Decimal:
    if isinstance(value, str):
        return _percent_of(value) if _PERCENT.fullmatch(value) else _no_percent()
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return _bounded(Decimal(value))
    return _no_percent()


# Of checked, short texts only: what callers send is not kept for ever.
@lru_cache(maxsize=4096)
def _percent_of(text: str) -> Decimal:
    return _bounded(Decimal(text))


def _bounded(value: Decimal) -> Decimal:
    if not value.is_finite() or not Decimal(0) <= value <= Decimal(100):
        raise ValueError("outside the range of a rate of percent; expected 0 to 100")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        raise ValueError("too exact for a rate; expected at most six decimal places")
    return value


def _no_percent() -> NoReturn:
    raise ValueError('not a rate; expected a decimal string of percent with at most six places, for example "1.25"')


Percent = Annotated[
    Decimal,
    PlainValidator(_percent),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d{1,6})?$", "examples": ["1.00"]}),
]
"""A rate of percent; on the wire a decimal string ("1.25" is one and a quarter percent)."""
