"""Format codes of spreadsheets: `£#,##0.00;[Red]-£#,##0.00` taken apart into digits and the text around them."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<bracket>[^\]]*)\]'
    r"|[_*].|(?P<place>[0#?.,])|(?P<end>;)|(?P<bare>.)",
    re.DOTALL,
)
_CURRENCIES: Final = frozenset("£€$¥")
_SIGNS: Final = frozenset("-+() ")
# Fractions, scientific notation, text, `General` in a longer code: the number itself is as good.
_NOT_FOLLOWED: Final = frozenset("/@EeGg")


class _Place(str):
    """Where a digit stands: `0` always, `#` and `?` when there is one; the point; the comma between thousands."""

    __slots__ = ()


class Section:
    """One section of a format code: the places of its digits, and the text around them.

    `is_plain`: the number itself is as good as what the section shows, which has a sign at most around it.
    `has_minus`: the text around the digits has a minus or a bracket of its own.
    """

    def __init__(self, before: str, places: Sequence[str], after: str, *, is_followed: bool) -> None:
        point = places.index(".") if "." in places else len(places)
        self._before, self._after = before.lstrip(), after.rstrip()
        self._whole, decimals = places[:point], places[point + 1 :]
        self._zeros, self._decimal_zeros = self._whole.count("0"), decimals.count("0")
        self._percents = (before + after).count("%")
        self._groups = "," in self._whole and not _CURRENCIES.isdisjoint(before + after)
        self._has_literals = not all(isinstance(token, _Place) for token in self._whole)
        self.has_minus = any(sign in before + after for sign in "-(")
        # A comma behind the last digit counts in thousands: what is shown is not the number.
        scales = "," in decimals or list(self._whole[-1:]) == [","]
        is_followed = is_followed and not scales and all(token in ("0", "#", "?") for token in decimals)
        says_more = self._has_literals or self._zeros > 1 or set(before + after) - _SIGNS
        self.is_plain = not (is_followed and places and says_more)

    def shown(self, number: str) -> str:
        """A number without its sign; digits beyond the places are kept.

        >>> [section] = sections_of("£#,##0.00")
        >>> section.shown("1234.5")
        '£1,234.50'
        """
        if self._percents:
            number = format(Decimal(number).scaleb(2 * self._percents), "f")
        digits, _, decimals = number.partition(".")
        digits = digits.lstrip("0").rjust(self._zeros, "0")
        if self._groups and len(digits) > 3:
            digits = f"{int(digits):,}"
        if self._has_literals:
            digits = _filled(self._whole, digits)
        decimals = decimals.rstrip("0").ljust(self._decimal_zeros, "0")
        return f"{self._before}{digits}{'.' if decimals else ''}{decimals}{self._after}"


def sections_of(code: str) -> list[Section]:
    """The sections of a code: for all numbers; then for negative ones, for zero and for text where it has them."""
    sections: list[list[str]] = [[]]
    has_conditions, not_followed = False, set()
    for token in _TOKEN.finditer(code):
        kind, text = token.lastgroup, token[0]
        if kind == "end":
            sections.append([])
        elif kind == "place":
            sections[-1].append(_Place(text))
        elif kind == "bracket":
            # A colour; or a condition, which decides which numbers a section is for.
            has_conditions = has_conditions or text[1:2] in ("<", ">", "=")
        elif kind == "bare" and text in _NOT_FOLLOWED:
            not_followed.add(len(sections) - 1)
        elif kind is not None:
            sections[-1].append(token[kind])
    return [
        _section(tokens, is_followed=not has_conditions and index not in not_followed)
        for index, tokens in enumerate(sections)
    ]


def _section(tokens: list[str], *, is_followed: bool) -> Section:
    places = [index for index, token in enumerate(tokens) if isinstance(token, _Place)]
    first, end = (places[0], places[-1] + 1) if places else (0, 0)
    return Section("".join(tokens[:first]), tokens[first:end], "".join(tokens[end:]), is_followed=is_followed)


def _filled(places: Sequence[str], digits: str) -> str:
    """The digits at their places from the right; more of them stand in front, as they do on the sheet."""
    left, shown = list(digits), []
    for place in reversed(places):
        if not left:
            break
        if not isinstance(place, _Place):
            shown.append(place)
        elif place != ",":
            shown.append(left.pop())
    return "".join(left) + "".join(reversed(shown))
