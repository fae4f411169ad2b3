"""Bank-account changes on the wire: details come in, only their masks go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from supplier_service.bank_account_changes.rules import CallBackOutcome, EvidenceKind, RequestedVia, Status
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence
from supplier_service.bank_accounts.rules import BankDetails, masked_account_number, masked_sort_code
from supplier_service.bank_accounts.schemas import AccountName, AccountNumber, SortCode
from supplier_service.fields import LongText, Note, RequestModel


class BankAccountChangeIn(RequestModel):
    """A wish to be paid to another account. `note` says what was asked, never the account."""

    supplier_id: UUID
    sort_code: SortCode
    account_number: AccountNumber
    account_name: AccountName
    requested_via: RequestedVia
    note: Annotated[Note, Field(examples=["Letter of 9 March, new bank"])]

    def details(self) -> BankDetails:
        return BankDetails(self.sort_code, self.account_number, self.account_name)


class EvidenceIn(RequestModel):
    """A paper that supports a case, and where it is kept."""

    kind: EvidenceKind
    reference: Annotated[LongText, Field(examples=["EDRMS 2026/0311"])]
    note: Note | None = None


class CallBackIn(RequestModel):
    """A call to the supplier: on which contact's number, and what was said."""

    contact_id: UUID
    outcome: CallBackOutcome
    note: Annotated[Note, Field(examples=["Spoke to the director, who knew of the change"])]


class ApprovalIn(RequestModel):
    """An approval."""

    note: Note | None = None


class RejectionIn(RequestModel):
    """Why a case is ended."""

    note: Annotated[Note, Field(examples=["The supplier knows nothing of it"])]


class EvidenceOut(BaseModel):
    """A paper that supports a case."""

    id: UUID
    kind: EvidenceKind
    reference: str
    note: str | None
    added_by: str
    added_at: datetime


class CallBackOut(BaseModel):
    """A call to the supplier."""

    id: UUID
    contact_id: UUID
    outcome: CallBackOutcome
    note: str
    called_by: str
    called_at: datetime


class BankAccountChangeOut(BaseModel):
    """A case and how far it came. The new account is used from the day after `cooling_off_until`."""

    id: UUID
    version: int
    supplier_id: UUID
    status: Status
    sort_code: Annotated[str, Field(examples=["••-••-12"])]
    account_number: Annotated[str, Field(examples=["••••9911"])]
    requested_via: RequestedVia
    note: str
    requested_by: str
    requested_at: datetime
    evidence: list[EvidenceOut]
    call_backs: list[CallBackOut]
    approved_by: str | None
    approved_at: datetime | None
    cooling_off_until: date | None
    rejected_by: str | None
    rejected_at: datetime | None
    activated_at: datetime | None

    @classmethod
    def of(
        cls, change: BankAccountChange, *, evidence: Sequence[Evidence], call_backs: Sequence[CallBack]
    ) -> BankAccountChangeOut:
        return cls.model_validate(
            change.model_dump(warnings=False, exclude={"account_name", "called_back_by"})
            | {
                "sort_code": masked_sort_code(change.sort_code),
                "account_number": masked_account_number(change.account_number),
                "evidence": [each.model_dump(warnings=False) for each in evidence],
                "call_backs": [each.model_dump(warnings=False) for each in call_backs],
            }
        )
