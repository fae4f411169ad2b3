"""A supplier's bank details, and where they may not be written."""

from __future__ import annotations

from dataclasses import dataclass, field

from council_bacs.accounts import masked_account_number, masked_sort_code
from council_bacs.accounts_in_text import may_hold_account
from council_common.errors import FieldError, Malformed


class AccountInText(Malformed):
    """A note or reference may have a bank account in it: every reader of suppliers would see it."""

    code = "bank-account-in-text"


@dataclass(frozen=True, slots=True)
class BankDetails:
    """Where a supplier is paid. Left out of every representation, so that no log or error shows it."""

    sort_code: str = field(repr=False)
    account_number: str = field(repr=False)
    account_name: str | None = field(repr=False, default=None)

    def same_account(self, other: BankDetails) -> bool:
        """Whether both are one account, whatever its holder is called: a payment goes by the numbers."""
        return (self.sort_code, self.account_number) == (other.sort_code, other.account_number)

    def same_mask(self, other: BankDetails) -> bool:
        """Whether both look alike in an answer: all that a caller who guesses at an account may learn of it."""
        return self.masks() == other.masks()

    def masks(self) -> tuple[str, str]:
        """What an answer shows of the sort code and of the account number."""
        return masked_sort_code(self.sort_code), masked_account_number(self.account_number)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, letter case and punctuation apart; letters that only look alike are others.

    >>> same_name("ARDLEY PAVING LTD.", "Ardley Paving Ltd"), same_name("Ardley Paving Ltd", "Аrdley Paving Ltd")
    (True, False)
    """
    first, second = ("".join(filter(str.isalnum, name.casefold())) for name in (one, other))
    return first == second


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
