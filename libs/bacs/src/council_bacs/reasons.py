"""What a reason code of a Bacs report is: its words, what they mean, and what they say of the account."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class AccountState(StrEnum):
    """What a code says has become of the account that was named.

    `unknown`: the bank has none of this number. `moved`: it has other details now, at another bank or branch.
    `unsuitable`: it exists and does not take this kind of payment. `holder_died`: it belongs to an estate now.
    """

    UNKNOWN = "unknown"
    CLOSED = "closed"
    MOVED = "moved"
    UNSUITABLE = "unsuitable"
    HOLDER_DIED = "holder_died"


class ReasonCode(StrEnum):
    """A code of one report: `words` as the report has them, `meaning` for an officer, `account` where it says so."""

    words: str
    meaning: str
    account: AccountState | None

    # The defaults are for a code that is looked up, `ArucsCode("5")`; each member of a table has words and meaning.
    def __new__(cls, code: str, words: str = "", meaning: str = "", account: AccountState | None = None) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.words, member.meaning, member.account = words, meaning, account
        return member
