"""Bank accounts written into free text: found by their form alone, compared with no account."""

from __future__ import annotations

import re

# What people put between the digits of one number; a line break is one, as in pasted mails.
_SIGNS = r"[\s_\u2010-\u2015-]{0,3}"
_ACCOUNT = re.compile(rf"(?<![\d£])\d(?:{_SIGNS}\d){{7}}(?:(?:{_SIGNS}\d){{6}})?(?!\d)")
# Not the number of a document (INV-100234), a company (SC123456), nor an amount (100234.50).
_SORT_CODE = re.compile(
    r"(?<![\d£])(?<![A-Za-z])(?<![A-Za-z][-_/])\d\d([\s._\u2010-\u2015-]{0,3})\d\d\1\d\d(?![.,]?\d)"
)
# Numbers of the same lengths that are something else by their form: telephone, day, years.
_SOMETHING_ELSE = re.compile(
    r"(?<!\d)(?:"
    r"(?:\+44|0044|0)[\s()-]{0,3}[1-9](?:[\s()-]{0,2}\d){8,9}(?![\s-]{0,3}\d)"
    r"|(?:19|20)\d\d-\d\d-\d\d|\d\d?([.-])\d\d?\1(?:19|20)\d\d"
    r"|(?:19|20)\d\d\s?[\u2010-\u2015-]\s?(?:19|20)\d\d"
    r")(?!\d)"
)
# A sort code and an account number side by side, or an IBAN of the United Kingdom. 14 digits in one are as often the
# number of a booking or a time: `EXPEDIA 72089635653452` is a payee in a council's published spending.
_WHOLE = re.compile(
    rf"(?<![\d£])(?!\d{{14}}(?!\d))"
    rf"\d\d([\s._\u2010-\u2015-]{{0,3}})\d\d\1\d\d[\s,;:/_.\u2010-\u2015-]{{0,3}}\d(?:{_SIGNS}\d){{7}}(?!\d)"
)
_IBAN = re.compile(rf"(?<![A-Za-z])[Gg][Bb]{_SIGNS}\d{_SIGNS}\d(?:{_SIGNS}[A-Za-z]){{4}}(?:{_SIGNS}\d){{14}}(?!\d)")


def may_hold_account(text: str) -> bool:
    """Whether a text has digits in it that may be a sort code (6), an account number (8) or both (14).

    By their form only, so that a refusal says nothing about any account: none can be found out by guessing. What is
    plainly a telephone number, a day with its whole year or a span of years is let through.

    >>> pasted = ("a/c 9173 4268", "9173 - 4268", "20-55-41", "GB29 NWBK 2055 4191 7342 68", "20554191734268")
    >>> [may_hold_account(text) for text in pasted]
    [True, True, True, True, True]
    >>> let_through = ("EDRMS 2026/0311", "Letter of 2026-03-09", "ring 01603 555 010", "INV-100234", "ends in 4268")
    >>> [may_hold_account(text) for text in let_through]
    [False, False, False, False, False]
    """
    rest = _SOMETHING_ELSE.sub(" / ", text)
    return bool(_ACCOUNT.search(rest) or _SORT_CODE.search(rest))


def holds_whole_account(text: str) -> bool:
    """Whether a text has a sort code and an account number side by side, or an IBAN: for what systems record.

    A name, a payment's reference or a line's description may have other numbers in it, which are facts.

    >>> pasted = ("Ardley 20-55-41 91734268", "205541 91734268", "GB29 NWBK 2055 4191 7342 68")
    >>> [holds_whole_account(text) for text in pasted]
    [True, True, True]
    >>> facts = ("Rent 01-04-26", "10023456", "RUN 20260311093000", "a/c 91734268", "EXPEDIA 72089635653452")
    >>> [holds_whole_account(text) for text in facts]
    [False, False, False, False, False]
    """
    return bool(_WHOLE.search(text) or _IBAN.search(text))
