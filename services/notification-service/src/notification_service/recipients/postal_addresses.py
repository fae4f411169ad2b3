"""Which postal addresses a letter can go to: 3 to 7 lines, the last a UK postcode or a country (as GOV.UK Notify)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from notification_service.recipients.countries import is_other_country, is_united_kingdom

MIN_LINES, MAX_LINES = 3, 7

# The shape of real postcodes: no Q, V, X first; no I, J, Z second; few letters third or fourth; no C, I, K, M, O, V
# in the inward part (Royal Mail's Programmers' Guide, Postcode Address File).
_POSTCODE = re.compile(
    r"^(GIR0AA|BFPO\d{1,4}|((?:[A-PR-UWYZ]\d{1,2})|(?:[A-PR-UWYZ][A-HK-Y]\d{1,2})|(?:[A-PR-UWYZ]\d[A-HJKPSTUW])"
    r"|(?:[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRVWXY]))(\d[ABD-HJLNP-UW-Z]{2}))$"
)
_NO_PLACE = re.compile(r"^no fixed (abode|address)$", re.IGNORECASE)
# A print room reads a line that starts so as a command or as no address at all (as GOV.UK Notify does).
_BAD_START = tuple('@()=[]"\\/,<>~')


def normal_postcode(given: str) -> str | None:
    """A postcode as it is printed, or None when there can be no such postcode.

    >>> normal_postcode("sw1a1aa"), normal_postcode("QQ1 1AA")
    ('SW1A 1AA', None)
    """
    squeezed = re.sub(r"[\s\u200b\ufeff]", "", given).upper()
    if not _POSTCODE.match(squeezed):
        return None
    inward = len(squeezed) - 4 if squeezed.startswith("BFPO") else 3
    return f"{squeezed[:-inward]} {squeezed[-inward:]}"


def letter_address(name: str, lines: Sequence[str], postcode: str | None) -> list[str] | None:
    """The lines on the envelope, name first; None when a letter cannot be posted there.

    A UK postcode may stand in its own field or in the last line. Abroad the last line is the country, in capitals,
    and what stands in the field for the postcode comes before it.
    """
    printed = [text for line in (name, *lines) if (text := " ".join(line.split()))]
    if len(printed) > 1 and is_united_kingdom(printed[-1]):
        printed.pop()
    last = normal_postcode(postcode or "")
    if last is None and printed and is_other_country(printed[-1]):
        last = printed.pop().upper()
        abroad = " ".join((postcode or "").split())
        if abroad and abroad not in printed:
            printed.append(abroad)
    elif last is None and printed:
        last = normal_postcode(printed.pop())
    elif printed and normal_postcode(printed[-1]) == last:
        printed.pop()
    if last is None or not all(_is_printable(line) for line in printed):
        return None
    block = [*printed, last]
    return block if MIN_LINES <= len(block) <= MAX_LINES else None


def _is_printable(line: str) -> bool:
    return line.isprintable() and not line.startswith(_BAD_START) and not _NO_PLACE.match(line)
