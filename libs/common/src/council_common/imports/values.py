"""Text cells to money, whole numbers and clean text: exact, or refused with what was found and is expected."""

import re
from typing import Final

from council_common.imports.problems import BadValue, shown

MONEY_EXPECTED: Final = "pounds and pence, such as 1,234.56, -1,234.56 or (1,234.56)"
PENCE_EXPECTED: Final = "a whole number of pence, such as 123456 or -500"
_MOST_PENCE: Final = 10**15
_MONEY: Final = re.compile(
    r"(?P<open>\(?) ?(?P<before>[-+]?) ?£? ?(?P<after_pound>[-+]?) ?"
    r"(?P<pounds>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+|(?=\.))(?:\.(?P<fraction>[0-9]+))?"
    r" ?(?P<behind>-?) ?(?P<close>\)?)"
)
_WHOLE: Final = re.compile(r"[-+]?[0-9]+(?:\.0+)?")
_SCIENTIFIC: Final = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]+")
_CONTINENTAL: Final = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{1,2}")
_EXCEL_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
_REDACTED: Final = re.compile(
    r"\b(?:redact(?:ed|ion)|redaced|(?:personal|commercial) (?:data|information) removed|name withheld|withheld)\b",
    re.IGNORECASE,
)


def parse_money(text: str) -> int:
    """Pence of an amount in pounds: minus in front or behind, or brackets, for a credit.

    Nothing is ever rounded: decimals after the second have to be zeros, `1.2E+05` has already lost digits and
    is refused, and `1.234,56` could mean two amounts.

    >>> parse_money("£1,234.5"), parse_money("(1,234.56)"), parse_money("12.00-")
    (123450, -123456, -1200)
    """
    pounds, dot, fraction = text.partition(".")
    if len(fraction) == 2 and len(pounds) < 13 and _digits(digits := pounds + fraction):
        return int(digits)
    if not dot and len(pounds) < 13 and _digits(pounds):
        return int(pounds) * 100
    match = _MONEY.fullmatch(" ".join(text.replace("\u2212", "-").split()))
    if match is None:
        raise _not_money(text)
    signs = [sign for sign in match.group("before", "after_pound", "behind") if sign]
    bracketed = bool(match["open"])
    if bracketed != bool(match["close"]) or len(signs) + bracketed > 1:
        raise BadValue("not-money", f"{shown(text)} has contradicting signs", MONEY_EXPECTED)
    fraction = match["fraction"] or ""
    if fraction[2:].strip("0"):
        raise BadValue("too-many-decimals", f"{shown(text)} has fractions of a penny", MONEY_EXPECTED)
    pence = int(match["pounds"].replace(",", "") + fraction[:2].ljust(2, "0"))
    return _bounded(-pence if bracketed or "-" in signs else pence, text)


def parse_pence(text: str) -> int:
    """A whole number of pence, as systems send it. `12.50` is refused: that would be pounds."""
    if len(text) < 15 and _digits(text):
        return int(text)
    return _bounded(_whole(text, "not-pence", PENCE_EXPECTED), text)


def parse_integer(text: str) -> int:
    """A whole number within 64 bits; `3.0`, as spreadsheets write 3, is read as 3."""
    number = _whole(text, "not-a-whole-number", "a whole number, such as 42")
    if abs(number) >= 2**63:
        raise BadValue("number-too-large", f"{shown(text)} is too large", "at most 18 digits")
    return number


_WINDOWS: Final = {
    code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def clean_text(text: str) -> str:
    """The text with outer spaces gone and inner ones single; no-break spaces and stray marks are spaces too.

    A control character of Latin-1 is what Windows writes in its place: nobody means `St Anne\\x92s`. Source: WHATWG
    Encoding, "windows-1252", which every browser takes for Latin-1.

    >>> clean_text(" St Anne\\x92s \\x96 Client  Account")
    'St Anne’s – Client Account'

    A spreadsheet's error value (`#N/A`) is no text: it comes out empty. NUL and lone surrogates are refused,
    because no database stores them.
    """
    if not text.isascii():
        text = text.translate(_WINDOWS)
    if "\ufeff" in text or "\u200b" in text:
        text = text.replace("\ufeff", " ").replace("\u200b", " ")
    if "\0" in text:
        raise BadValue("nul-byte", "the text holds a NUL character", "text without control characters")
    cleaned = " ".join(text.split())
    if not cleaned.isascii():
        try:
            cleaned.encode()
        except UnicodeEncodeError:
            raise BadValue("broken-text", "the text holds half a character", "valid Unicode") from None
    return "" if cleaned in _EXCEL_ERRORS else cleaned


def is_filler(cell: str) -> bool:
    """Whether a cell holds nothing: blank, or an error value that a spreadsheet left behind."""
    stripped = cell.strip()
    return not stripped or stripped in _EXCEL_ERRORS


def is_redacted(name: str | None) -> bool:
    """Whether a published supplier name hides a person or a confidential supplier; blank counts as hidden.

    Source: Local Government Transparency Code 2015, which lets authorities redact personal data from spending.
    """
    return not name or _REDACTED.search(name) is not None


def _digits(text: str) -> bool:
    # str.isdigit alone is true for digits of other scripts, which int() would silently read.
    return text.isascii() and text.isdigit()


def _whole(text: str, code: str, expected: str) -> int:
    stripped = text.strip()
    if _WHOLE.fullmatch(stripped) is None or len(stripped) > 30:
        raise BadValue(code, f"{shown(text)} is not a whole number", expected)
    return int(stripped.partition(".")[0])


def _bounded(pence: int, text: str) -> int:
    if abs(pence) >= _MOST_PENCE:
        raise BadValue("amount-too-large", f"{shown(text)} is ten trillion pounds or more", MONEY_EXPECTED)
    return pence


def _not_money(text: str) -> BadValue:
    stripped = text.strip()
    if _SCIENTIFIC.fullmatch(stripped):
        why = "is in scientific notation, which has lost digits; format the column as a number"
        return BadValue("scientific-notation", f"{shown(text)} {why}", MONEY_EXPECTED)
    if _CONTINENTAL.fullmatch(stripped):
        why = "uses a comma for the decimals, or wrong groups of thousands"
        return BadValue("decimal-comma", f"{shown(text)} {why}", MONEY_EXPECTED)
    return BadValue("not-money", f"{shown(text)} is not an amount of money", MONEY_EXPECTED)
