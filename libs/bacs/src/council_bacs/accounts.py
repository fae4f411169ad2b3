"""UK sort codes and account numbers: how they are written, and how much of them is ever shown.

Source: Vocalink, "Validating account numbers": sort codes have six digits and account numbers eight; shorter account
numbers are filled up with zeros on the left.
"""

from __future__ import annotations

import re

_DIGITS = re.compile(r"[0-9]+")
_SEPARATORS = re.compile(r"[ -]")


def sort_code(written: str) -> str:
    """A sort code's six digits, written with or without dashes or spaces. Raises ValueError.

    >>> sort_code("20-00-00"), sort_code("200000")
    ('200000', '200000')
    """
    digits = _SEPARATORS.sub("", written)
    if len(digits) != 6 or not _DIGITS.fullmatch(digits):
        raise ValueError("not a sort code; expected 6 digits, with or without dashes")
    return digits


def account_number(written: str) -> str:
    """An account number's eight digits; seven take one zero in front, six take two. Raises ValueError.

    >>> account_number("5577 9911"), account_number("1234567"), account_number("123456")
    ('55779911', '01234567', '00123456')
    """
    digits = _SEPARATORS.sub("", written)
    if not 6 <= len(digits) <= 8 or not _DIGITS.fullmatch(digits):
        raise ValueError("not an account number; expected 8 digits (6 or 7 are filled up with zeros)")
    return digits.zfill(8)


def masked_sort_code(digits: str) -> str:
    """The last pair only: enough to tell two accounts apart, never enough to pay to.

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
