"""What a payer's words quote: the numbers of receivables in them, and whether they quote something that cannot be read.

Banks cut, join and space what a payer types, and phones add characters nobody sees. The words are brought into one form
first; then whole numbers are read from left to right, the longest first. Council policy: money whose reference quotes
something that cannot be read is an officer's, it pays no other debt by rule.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+")
# Between two words of one number stands one of these, or none; more than that separates two numbers.
_JOINT = re.compile(r"\s*[-/._]?\s*")
_MOST_WORDS, _MOST_IN_ONE, _LONGEST = 60, 4, 40
# Years, months, house numbers and amounts are shorter, and words without a digit are no references: "RENT MARCH 2026"
# pays no receivable that happens to have the number MARCH or 2026, unless it is the payer's own.
_QUOTABLE = re.compile(r"(?=.*[0-9]).{5,}")
_ACCOUNT = re.compile(r"\bA/C\b")
_SLASHES = str.maketrans({"\u2044": "/", "\u2215": "/", "\u2212": "-", "\\": "/"})
_PLAIN_ALREADY = str.maketrans({"\\": "/", **{chr(sign): " " for sign in (*range(32), 127)}})

_LABEL = r"(?:INVOICE|INV|REFERENCE|REF|NUMBER|NO|BILL|ACCOUNT|ACCT|ACC)"
_LABELLED = re.compile(_LABEL + r"([0-9A-Z]+)")
_LABELS = re.compile(_LABEL)
_MONTH = r"(?:JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT?(?:EMBER)?|" + (
    r"OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)"
)
# Days, months, years and amounts stand beside references and quote nothing.
_NO_REFERENCE = re.compile(
    rf"\b(?:\d{{1,2}}(?:ST|ND|RD|TH)?[ ./-]?)?{_MONTH}[ ./-]?(?:(?:19|20)?\d\d)?\b"
    r"|\b(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}\b|\b\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d\b"
    r"|(?:£|\bGBP ?)\d[\d,]*(?:\.\d\d)?\b|\b\d[\d,]*\.\d\d\b"
    r"|\b(?:19|20)\d\d(?:[/-]\d\d(?:\d\d)?)?\b"
)
_REFERENCE_LIKE = re.compile(
    r"\b(?=\w*\d)\w{5,}"  # a word with a digit, as long as a number
    rf"|\b{_LABEL}(?:\d|[ .:#/-]+(?=\w*\d)\w| ?[#/-] ?\w)"  # INV 42, INV-A
    r"|\b[^\W\d]{1,4}[ ./-]\d{4,}"  # R 0123
    r"|\b\d(?:[ ./-]?\d){4,}"  # 12 345
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """The numbers that a payer's words quote, in their order, and whether they quote anything that cannot be read."""

    numbers: tuple[str, ...] = ()
    is_unreadable: bool = False


NOTHING_QUOTED = Quoted()


@dataclass(frozen=True, slots=True)
class _Part:
    """One to four words that stand together, how a number of them may be written, and where they stand."""

    first: int
    words: int
    start: int
    end: int
    forms: tuple[str, ...]


def in_one_form(words: str) -> str:
    """Capital letters and plain digits, no characters that nobody sees, one kind of dash and of slash.

    >>> in_one_form("ｒ００００１２３\\u200b／r0\\u00ad000124"), in_one_form("r0000123–30nov")
    ('R0000123/R0000124', 'R0000123-30NOV')
    """
    plain = words.translate(_PLAIN_ALREADY) if words.isascii() else _plain(words)
    return _ACCOUNT.sub("ACC", plain.upper())


def _plain(words: str) -> str:
    plain = []
    for sign in unicodedata.normalize("NFKC", words).translate(_SLASHES):
        kind = unicodedata.category(sign)
        if kind in {"Cf", "Mn", "Me"}:
            continue
        if kind == "Pd":
            plain.append("-")
        elif kind == "Nd":
            plain.append(str(unicodedata.decimal(sign)))
        else:
            plain.append(" " if kind[0] in "CZ" else sign)
    return "".join(plain)


def is_quotable(number: str) -> bool:
    """Whether a word quotes a receivable of whomever: it has a digit and five characters (council policy).

    >>> [is_quotable(number) for number in ("R0000123", "2026", "MARCH")]
    [True, False, False]
    """
    return _QUOTABLE.fullmatch(number) is not None


def possible_numbers(payer_reference: str | None) -> set[str]:
    """Every number these words may quote, to be looked up."""
    return {form for part in _parts(in_one_form(payer_reference or "")) for form in part.forms}


def read_quoted(
    payer_reference: str | None, is_number: Callable[[str], bool], *, payers_reference: str | None = None
) -> Quoted:
    """The numbers that these words quote, read from left to right, each whole and the longest first.

    `is_number` knows which numbers count. The payer's own customer reference quotes nothing that has to be read.

    >>> known = {"R0000123", "R0000124"}.__contains__
    >>> read_quoted("inv-r0000123/R 0000124 thanks, March 2026", known)
    Quoted(numbers=('R0000123', 'R0000124'), is_unreadable=False)
    >>> read_quoted("R0000132", known), read_quoted("rent March 2026", known)
    (Quoted(numbers=(), is_unreadable=True), Quoted(numbers=(), is_unreadable=False))
    """
    words = in_one_form(payer_reference or "")
    own = in_one_form(payers_reference or "")
    numbers: list[str] = []
    unread = list(words)
    following = 0
    for part in _parts(words):
        if part.first < following:
            continue
        number = next((form for form in part.forms if is_number(form)), None)
        if number is None and (not own or own not in part.forms):
            continue
        if number is not None:
            numbers.append(number)
        following = part.first + part.words
        unread[part.start : part.end] = "|" * (part.end - part.start)
    left = _NO_REFERENCE.sub("|", "".join(unread))
    return Quoted(tuple(dict.fromkeys(numbers)), _REFERENCE_LIKE.search(left) is not None)


def _parts(words: str) -> Iterator[_Part]:
    """What may be one number, from left to right, the longest first."""
    found = list(_WORD.finditer(words))[:_MOST_WORDS]
    joints = [
        words[one.end() : other.start()].strip() if _JOINT.fullmatch(words, one.end(), other.start()) else None
        for one, other in pairwise(found)
    ]
    for first in range(len(found)):
        together = 1
        while together < _MOST_IN_ONE and first + together < len(found) and joints[first + together - 1] is not None:
            together += 1
        for count in range(together, 0, -1):
            said = [match.group() for match in found[first : first + count]]
            between = [joint or "" for joint in joints[first : first + count - 1]]
            before = _word_before(found, joints, first)
            forms = _forms_of_many(said, between) if count > 1 else _forms_of_one(said[0], before)
            if forms:
                yield _Part(first, count, found[first].start(), found[first + count - 1].end(), forms)


def _word_before(found: list[re.Match[str]], joints: list[str | None], position: int) -> str:
    """The word that stands right before another, where the two may be one number."""
    return found[position - 1].group() if position and joints[position - 1] is not None else ""


def _forms_of_one(word: str, before: str) -> tuple[str, ...]:
    """A word itself, and without a label that is joined to it. "R 0000123" quotes no number 0000123."""
    if word.isdigit() and before.isalpha() and len(before) <= 2 and not _LABELS.fullmatch(before):
        return ()
    labelled = _LABELLED.fullmatch(word)
    return (word,) if labelled is None else (word, labelled[1])


def _forms_of_many(said: list[str], between: list[str]) -> tuple[str, ...]:
    """How a number of several words may be written: as here, in one, with dashes, with slashes.

    Without a digit only as here; digits that only blanks separate are a telephone number or an amount as soon as a
    reference.
    """
    as_here = "".join(word + joint for word, joint in zip(said, [*between, ""], strict=True))
    together = "".join(said)
    forms = [as_here] if all(joint in {"-", "/"} for joint in between) else []
    if any(sign.isdigit() for sign in together) and (not together.isdigit() or all(between)):
        forms += [together, "-".join(said), "/".join(said)]
    return tuple(form for form in dict.fromkeys(forms) if len(form) <= _LONGEST)
