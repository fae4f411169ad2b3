"""Which postal addresses a letter can go to: 3 to 7 lines, the last a UK postcode or a country (as GOV.UK Notify)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from council_common.contact_details.characters import visible_words
from council_common.contact_details.countries import is_other_country, is_united_kingdom

MIN_LINES, MAX_LINES = 3, 7

# The shape of real postcodes: no Q, V, X first; no I, J, Z second; few letters third or fourth; no C, I, K, M, O, V
# in the inward part (Royal Mail's Programmers' Guide, Postcode Address File).
_POSTCODE = re.compile(
    r"^(((?:[A-PR-UWYZ]\d{1,2})|(?:[A-PR-UWYZ][A-HK-Y]\d{1,2})|(?:[A-PR-UWYZ]\d[A-HJKPSTUW])"
    r"|(?:[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRVWXY]))(\d[ABD-HJLNP-UW-Z]{2}))$"
)
# Royal Mail's postcode areas, the Crown dependencies' and the Forces' among them.
_AREA_NAMES = """
AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH
EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML
N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF
TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE
"""
_AREAS = frozenset(_AREA_NAMES.split())
_FORCES = re.compile(r"^BFPO ?(?:C/O ?)?([0-9]{1,4})$")
_NO_PLACE = re.compile(r"no fixed (abode|address)|^nfa$", re.IGNORECASE)
# A print room reads a line that starts so as a command or as no address at all (as GOV.UK Notify does).
_BAD_START = tuple('@()=[]"\\/,<>~')


def normal_postcode(given: str) -> str | None:
    """A postcode as it is printed, or a number of the British Forces Post Office; None when there can be no such one.

    >>> normal_postcode("sw1a1aa"), normal_postcode("QQ1 1AA"), normal_postcode("E1 OAA")
    ('SW1A 1AA', None, None)
    """
    written = visible_words(given).upper()
    if forces := _FORCES.match(written):
        return f"BFPO {forces[1]}"
    squeezed = written.replace(" ", "")
    area = re.match("[A-Z]*", squeezed)
    if area is None or area[0] not in _AREAS or not _POSTCODE.match(squeezed):
        return None
    return f"{squeezed[:-3]} {squeezed[-3:]}"


def letter_address(name: str, lines: Sequence[str], postcode: str | None) -> list[str]:
    """The lines on the envelope, name first. Raises ValueError, in words and without the address, where no letter can
    be posted there.

    A UK postcode may stand in its own field or in a line of its own; it is printed last. Abroad the last line is the
    country, in capitals, and what stands in the field for the postcode comes before it.
    """
    printed = [text for line in (name, *lines) if (text := visible_words(line).rstrip(" ,"))]
    while len(printed) > 1 and is_united_kingdom(printed[-1]):
        printed.pop()
    for line in printed:
        _must_be_printable(line)
    block = _with_last_line(printed, visible_words(postcode or ""))
    if len(block) < MIN_LINES:
        raise ValueError("is too short for a letter; expected a street or place and a postcode or country")
    if len(block) > MAX_LINES:
        raise ValueError(f"is too long for a letter; expected up to {MAX_LINES} lines with the name and the postcode")
    return block


def _with_last_line(printed: list[str], postcode: str) -> list[str]:
    country = printed.pop().upper() if len(printed) > 1 and is_other_country(printed[-1]) else None
    in_lines = {code: line for line in printed[1:] if (code := normal_postcode(line))}
    own = normal_postcode(postcode)
    if country is not None and own is None:
        if any(code.startswith("BFPO") for code in in_lines):
            raise ValueError("is a Forces address with a country; expected the BFPO number last")
        return [*printed, *([postcode] if postcode and postcode not in printed else []), country]
    if country is not None:
        # A street or a town may be called as a country is; the postcode says where it is.
        printed.append(country.title())
    if postcode and own is None:
        raise ValueError("has no postcode of the United Kingdom; expected one such as SW1A 1AA, or a country last")
    codes = {code for code in (*in_lines, *([own] if own else [])) if not code.startswith("BFPO")} or set(in_lines)
    if own is not None:
        codes = codes or {own}
    if len(codes) > 1:
        raise ValueError("has two postcodes; expected one")
    if not codes:
        raise ValueError("has no postcode and no country; expected a UK postcode such as SW1A 1AA, or a country last")
    (last,) = codes
    return [line for line in printed if line != in_lines.get(last)] + [last]


def _must_be_printable(line: str) -> None:
    if not line.isprintable():
        raise ValueError("has a character that cannot be printed; expected letters, digits and signs")
    if line.startswith(_BAD_START):
        raise ValueError(f"has a line that begins with one of {' '.join(_BAD_START)}; expected a letter or a digit")
    if _NO_PLACE.search(line):
        raise ValueError("is no place; expected an address where a letter arrives")


def name_on_a_letter(name: str) -> str:
    """A name that can be the first line of an address. Raises ValueError."""
    _must_be_printable(name)
    return name
