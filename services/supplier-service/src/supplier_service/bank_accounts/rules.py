"""UK sort codes and account numbers: their form, and how much of them is ever shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Where a supplier is paid. Left out of every representation, so that no log or error can tell it."""

    sort_code: str = field(repr=False)
    account_number: str = field(repr=False)
    account_name: str | None = field(repr=False, default=None)


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
