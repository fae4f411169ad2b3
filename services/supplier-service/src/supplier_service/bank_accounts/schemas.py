"""Bank accounts on the wire: in full when they come in, masked whenever they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from council_bacs import accounts
from council_common.fields import Name, RequestModel
from pydantic import AfterValidator, BaseModel, Field

from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.bank_accounts.tables import BankAccount

SortCode = Annotated[str, Field(max_length=12, examples=["20-00-00"]), AfterValidator(accounts.sort_code)]
AccountNumber = Annotated[str, Field(max_length=12, examples=["55779911"]), AfterValidator(accounts.account_number)]
AccountName = Annotated[Name, Field(examples=["Ardley Paving Ltd"])]


class BankAccountIn(RequestModel):
    """Where to pay a supplier."""

    sort_code: SortCode
    account_number: AccountNumber
    account_name: AccountName | None = None

    def details(self) -> BankDetails:
        return BankDetails(self.sort_code, self.account_number, self.account_name)


class BankAccountOut(BaseModel):
    """An account, masked: enough to tell two apart, never enough to pay to."""

    sort_code: Annotated[str, Field(examples=["••-••-12"])]
    account_number: Annotated[str, Field(examples=["••••9911"])]
    in_use_from: datetime
    superseded_at: datetime | None = None

    @classmethod
    def of(cls, account: BankAccount, *, superseded_at: datetime | None = None) -> BankAccountOut:
        sort_code, account_number = account.details.masks()
        return cls(
            sort_code=sort_code,
            account_number=account_number,
            in_use_from=account.in_use_from,
            superseded_at=superseded_at,
        )
