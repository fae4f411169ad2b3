"""UK sort codes and account numbers: their form, and how much of them is ever shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from council_common.errors import Malformed

_DIGITS = re.compile(r"[0-9]+")
# Digits that people mean as one number: nothing or a single sign between two of them.
_WRITTEN_NUMBER = re.compile(r"\d(?:[ ./\u2010-\u2015-]?\d)*")
_WRITTEN_SORT_CODE = re.compile(r"(?<!\d)\d\d([ ./\u2010-\u2015-]?)\d\d\1\d\d(?!\d)")


class AccountInText(Malformed):
    """A note or reference has a bank account in it: everybody who may read suppliers would see it."""

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


def tells_account(text: str, accounts: Iterable[BankDetails]) -> bool:
    """Whether a text has the number of one of these accounts in it, or its sort code, however they are spaced.

    An account number is known by the four digits that every answer shows of it: a refusal tells no more than they
    do, so that nobody finds an account out by guessing. Six and seven digits count where noughts were filled in.

    >>> held = [BankDetails("205541", "91734268"), BankDetails("400000", "00557799")]
    >>> [tells_account(text, held) for text in ("a/c 9173 4268", "20-55-41", "account 557799", "IBAN 205541 91734268")]
    [True, True, True, True]
    >>> [tells_account(text, held) for text in ("Letter of 09-03-26", "ring 01603 555 010", "ends in 4268")]
    [False, False, False]
    """
    numbers = [_digits(found[0]) for found in _WRITTEN_NUMBER.finditer(text)]
    sort_codes = {_digits(found[0]) for found in _WRITTEN_SORT_CODE.finditer(text)}
    return any(
        account.sort_code in sort_codes or any(_may_be(account.account_number, number) for number in numbers)
        for account in accounts
    )


def _digits(written: str) -> str:
    return "".join(str(int(sign)) for sign in written if sign.isdecimal())


def _may_be(account: str, number: str) -> bool:
    if len(number) in {6, 7}:
        return account.startswith("0" * (8 - len(number))) and number.endswith(account[-4:])
    return account[-4:] in number[4:]
