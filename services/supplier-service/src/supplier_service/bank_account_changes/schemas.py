"""Bank-account changes on the wire: details come in, only their masks go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from council_bacs.accounts import masked_account_number, masked_sort_code
from council_common.fields import WITHOUT_ACCOUNT, Name, RequestModel, Sentence
from pydantic import BaseModel, ConfigDict, Field

from supplier_service.bank_account_changes.rules import (
    BankAccountChangeStatus,
    CallBackOutcome,
    EvidenceKind,
    HeldAs,
    RequestedVia,
)
from supplier_service.bank_account_changes.tables import BankAccountChange, CallBack, Evidence, WarningContact
from supplier_service.bank_accounts.rules import BankDetails
from supplier_service.bank_accounts.schemas import AccountName, AccountNumber, SortCode


class BankAccountChangeIn(RequestModel):
    """A request to be paid to another account. `note` says how it came; one with the account in it is refused."""

    supplier_id: UUID
    sort_code: SortCode
    account_number: AccountNumber
    account_name: AccountName
    requested_via: RequestedVia
    note: Annotated[Sentence, Field(examples=["Letter of 9 March, new bank"])]

    def details(self) -> BankDetails:
        return BankDetails(self.sort_code, self.account_number, self.account_name)


class EvidenceIn(RequestModel):
    """A paper that supports a case, and where it is kept."""

    kind: EvidenceKind
    reference: Annotated[Name, WITHOUT_ACCOUNT, Field(examples=["EDRMS 2026/0311"])]
    note: Sentence | None = None


class CallBackIn(RequestModel):
    """A call to the supplier: on which contact's number, and what was said.

    To confirm, the supplier reads its new account out: it is compared with the one requested, never kept or shown.
    """

    contact_id: UUID
    outcome: Literal[CallBackOutcome.CONFIRMED, CallBackOutcome.NOT_CONFIRMED]
    sort_code: SortCode | None = None
    account_number: AccountNumber | None = None
    note: Annotated[Sentence, Field(examples=["Spoke to the director, who knew of the change"])]

    def read_out(self) -> BankDetails | None:
        """The account as the supplier named it; None unless both numbers are there."""
        if self.sort_code is None or self.account_number is None:
            return None
        return BankDetails(self.sort_code, self.account_number)


class ApprovalIn(RequestModel):
    """An approval. `warned_otherwise`: how and when the supplier was warned, where it has no e-mail address."""

    note: Sentence | None = None
    warned_otherwise: Annotated[
        Sentence | None, Field(examples=["Letter of 11 March to the address held, by recorded delivery"])
    ] = None


class RejectionIn(RequestModel):
    """Why a case is ended."""

    note: Annotated[Sentence, Field(examples=["The supplier knows nothing of it"])]


class EvidenceOut(BaseModel):
    """A paper that supports a case."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: EvidenceKind
    reference: str
    note: str | None
    added_by: str
    added_by_name: str
    added_at: datetime


class CallBackOut(BaseModel):
    """A call to the supplier. `another_account`: it read out another account than the one requested."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    outcome: CallBackOutcome
    note: str
    called_by: str
    called_by_name: str
    called_at: datetime


class WarningContactOut(BaseModel):
    """A contact that is warned of a case; `removed_on` where the address was removed before the request."""

    name: str | None
    email: str
    held: HeldAs
    removed_on: date | None


class WarningContactsOut(BaseModel):
    """Who is warned of a case."""

    change_id: UUID
    supplier_id: UUID
    contacts: list[WarningContactOut]

    @classmethod
    def of(cls, change: BankAccountChange, contacts: Sequence[WarningContact]) -> WarningContactsOut:
        warned = [WarningContactOut.model_validate(contact, from_attributes=True) for contact in contacts]
        return cls(change_id=change.id, supplier_id=change.supplier_id, contacts=warned)


class BankAccountChangeOut(BaseModel):
    """A case and how far it came. The new account is used from the day after `cooling_off_until`.

    `account_name_matches`: whether the holder's name that was typed in was the supplier's name here, letter case and
    punctuation apart, for 90 days when the change was requested; where not, the evidence says who holds the account.
    `name_changed_on`: when the supplier's name was changed in those 90 days. `warning_contacts`: how many e-mail
    addresses are warned; `warned_otherwise`: how else the supplier was, as the approver says.
    """

    id: UUID
    version: int
    supplier_id: UUID
    status: BankAccountChangeStatus
    sort_code: Annotated[str, Field(examples=["••-••-12"])]
    account_number: Annotated[str, Field(examples=["••••9911"])]
    account_name_matches: bool
    name_changed_on: date | None
    warning_contacts: int
    requested_via: RequestedVia
    note: str
    requested_by: str
    requested_by_name: str
    requested_at: datetime
    evidence: list[EvidenceOut]
    call_backs: list[CallBackOut]
    approved_by: str | None
    approved_by_name: str | None
    approved_at: datetime | None
    cooling_off_until: date | None
    warned_otherwise: str | None
    rejected_by: str | None
    rejected_by_name: str | None
    rejected_at: datetime | None
    activated_at: datetime | None

    @classmethod
    def of(
        cls,
        change: Any,
        *,
        warning_contacts: int,
        evidence: Sequence[Evidence],
        call_backs: Sequence[CallBack],
    ) -> BankAccountChangeOut:
        """A stored change, or a row of the list, with what belongs to it."""
        return cls.model_validate(
            {name: getattr(change, name) for name in _COLUMNS}
            | {
                "sort_code": masked_sort_code(change.sort_code),
                "account_number": masked_account_number(change.account_number),
                "warning_contacts": warning_contacts,
                "evidence": [EvidenceOut.model_validate(paper) for paper in evidence],
                "call_backs": [CallBackOut.model_validate(call) for call in call_backs],
            }
        )


_COMPUTED = {"sort_code", "account_number", "warning_contacts", "evidence", "call_backs"}
_COLUMNS = tuple(name for name in BankAccountChangeOut.model_fields if name not in _COMPUTED)
