"""Bank accounts written into free text: found by their form alone, compared with no account."""

from __future__ import annotations

import re

from council_common.errors import FieldError, Malformed

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


class AccountInText(Malformed):
    """A note or reference may have a bank account in it: every reader would see it."""

    code = "bank-account-in-text"


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


def refuse_accounts_in(**texts: str | None) -> None:
    """Raise AccountInText where a text (by its field's name) has digits in it that may be an account.

    Accounts named in passing are what a pasted e-mail brings: the text is kept and shown for good, the account is not.
    """
    wrong = [name for name, text in texts.items() if text and may_hold_account(text)]
    if wrong:
        expected = "no 6 or 8 digits together; a day as 9 March 2026, a file's number with a slash: 2026/0311"
        raise AccountInText(
            "Bank details are not written into text that others read; see errors.",
            errors=[FieldError(name, "digits that may be bank details", expected) for name in wrong],
        )
