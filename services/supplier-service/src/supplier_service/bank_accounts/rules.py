"""A supplier's bank details, and where they may not be written."""

from __future__ import annotations

from dataclasses import dataclass, field

from council_bacs.accounts import masked_account_number, masked_sort_code


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
