"""Money is whole pence; the only rounding in the platform is `Money.times`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

MAX_PENCE = 99_999_999_999_999  # just under a trillion pounds: inside a PostgreSQL bigint with room to sum


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """An amount of sterling in whole pence; negative for credits.

    >>> Money(100000).times(Decimal("0.01"))
    Money(pence=1000)
    >>> Money(5).times(Decimal("0.5")), Money(-5).times(Decimal("0.5"))
    (Money(pence=3), Money(pence=-3))
    """

    pence: int

    def __post_init__(self) -> None:
        if not isinstance(self.pence, int) or isinstance(self.pence, bool):
            raise TypeError(f"money is whole pence, not {self.pence!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.pence + other.pence)

    def __sub__(self, other: Money) -> Money:
        return Money(self.pence - other.pence)

    def __neg__(self) -> Money:
        return Money(-self.pence)

    def __str__(self) -> str:
        sign = "-" if self.pence < 0 else ""
        pounds, pence = divmod(abs(self.pence), 100)
        return f"{sign}£{pounds:,}.{pence:02d}"

    def times(self, rate: Decimal) -> Money:
        """The amount multiplied by a rate, rounded half up (away from zero) to the penny."""
        return Money(int((self.pence * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP)))

    def split(self, parts: int) -> list[Money]:
        """Equal parts that sum to the whole, the remainder on the last (instalments, receivables.md §2.8).

        >>> [str(part) for part in Money(10000).split(3)]
        ['£33.33', '£33.33', '£33.34']
        """
        each = self.pence // parts
        return [Money(each)] * (parts - 1) + [Money(self.pence - each * (parts - 1))]


def total(amounts: Iterable[Money]) -> Money:
    """The sum of amounts; nothing sums to nought."""
    return Money(sum(amount.pence for amount in amounts))


def _as_decimal(value: object) -> Decimal:
    if isinstance(value, float):
        raise ValueError('a rate is a decimal string of percent, for example "1.25", never a float')  # noqa: TRY004
    try:
        return Decimal(str(value))
    except ArithmeticError as wrong:
        raise ValueError('a rate is a decimal string of percent, for example "1.25"') from wrong


def _bounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not Decimal(0) <= value <= Decimal(100):
        raise ValueError("a rate lies between 0 and 100 percent")
    if isinstance(exponent, int) and exponent < -6:
        raise ValueError("a rate has at most six decimal places")
    return value


Percent = Annotated[
    Decimal,
    BeforeValidator(_as_decimal),
    AfterValidator(_bounded),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d{1,6})?$", "examples": ["1.00"]}),
]
"""A rate of percent; on the wire a decimal string ("1.25" is one and a quarter percent)."""
