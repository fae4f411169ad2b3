"""UK sort codes and account numbers: their form, and how much of them is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from council_common.errors import FieldError, Malformed

_DIGITS = re.compile(r"[0-9]+")
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
    """A note or reference may have a bank account in it: everybody who may read suppliers would see it."""

    code = "bank-account-in-text"


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Where a supplier is paid. Left out of every representation, so that no log or error can tell it."""

    sort_code: str = field(repr=False)
    account_number: str = field(repr=False)
    account_name: str | None = field(repr=False, default=None)

    def same_account(self, other: BankDetails) -> bool:
        """Whether both are one account, whatever its holder is called: a payment goes by the numbers."""
        return (self.sort_code, self.account_number) == (other.sort_code, other.account_number)

    def same_mask(self, other: BankDetails) -> bool:
        """Whether both look alike in an answer: all that may be told of an account to whoever guesses at it."""
        return self.masks() == other.masks()

    def masks(self) -> tuple[str, str]:
        """What an answer shows of the sort code and of the account number."""
        return masked_sort_code(self.sort_code), masked_account_number(self.account_number)


def sort_code(written: str) -> str:
    """Six digits, with or without dashes or spaces.

    >>> sort_code("20-00-00"), sort_code("200000")
    ('200000', '200000')
    """
    digits = re.sub(r"[ -]", "", written)
    if len(digits) != 6 or not _DIGITS.fullmatch(digits):
        raise ValueError("not a sort code; expected 6 digits, with or without dashes")
    return digits


def account_number(written: str) -> str:
    """Eight digits; seven take one leading nought, six take two (payables.md §3.4 [85]).

    >>> account_number("5577 9911"), account_number("1234567"), account_number("123456")
    ('55779911', '01234567', '00123456')
    """
    digits = re.sub(r"[ -]", "", written)
    if not 6 <= len(digits) <= 8 or not _DIGITS.fullmatch(digits):
        raise ValueError("not an account number; expected 8 digits (6 or 7 are filled up with noughts)")
    return digits.zfill(8)


def masked_sort_code(digits: str) -> str:
    """The last pair only.

    >>> masked_sort_code("200012")
    '••-••-12'
    """
    return f"••-••-{digits[-2:]}"


def masked_account_number(digits: str) -> str:
    """The last four digits only.

    >>> masked_account_number("55779911")
    '••••9911'
    """
    return f"••••{digits[-4:]}"


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, letter case and signs apart; letters that only look alike are others.

    >>> same_name("ARDLEY PAVING LTD.", "Ardley Paving Ltd"), same_name("Ardley Paving Ltd", "Аrdley Paving Ltd")
    (True, False)
    """
    first, second = ("".join(filter(str.isalnum, name.casefold())) for name in (one, other))
    return first == second


def may_tell_account(text: str) -> bool:
    """Whether a text has digits in it that may be a sort code (6), an account number (8) or both (14).

    By their form only. The text is compared with no account, so that a refusal tells nothing about one: nobody finds
    an account out by guessing. What is plainly a telephone number, a day with its whole year or years is let through.

    >>> pasted = ("a/c 9173 4268", "9173 - 4268", "20-55-41", "GB29 NWBK 2055 4191 7342 68", "20554191734268")
    >>> [may_tell_account(text) for text in pasted]
    [True, True, True, True, True]
    >>> let_through = ("EDRMS 2026/0311", "Letter of 2026-03-09", "ring 01603 555 010", "INV-100234", "ends in 4268")
    >>> [may_tell_account(text) for text in let_through]
    [False, False, False, False, False]
    """
    rest = _SOMETHING_ELSE.sub(" / ", text)
    return bool(_ACCOUNT.search(rest) or _SORT_CODE.search(rest))


def refuse_accounts_in(**texts: str | None) -> None:
    """Raise AccountInText where a text (by its field's name) has digits in it that may be an account.

    Accounts named in passing are what a pasted e-mail brings: the text is kept and shown for good, the account is not.
    """
    wrong = [name for name, text in texts.items() if text and may_tell_account(text)]
    if wrong:
        expected = "no 6 or 8 digits together; a day as 9 March 2026, a file's number with a slash: 2026/0311"
        raise AccountInText(
            "Bank details are not written into text that others read; see errors.",
            errors=[FieldError(name, "digits that may be bank details", expected) for name in wrong],
        )
