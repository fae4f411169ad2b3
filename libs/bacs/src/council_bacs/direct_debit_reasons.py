"""Reason codes of the reports on Direct Debits and their instructions.

Source: Pay.UK, Service User's Guide and Rules to the Direct Debit Scheme; codes and words as Numeral lists them,
docs.numeral.io/reference/bacs-reason-codes. The same character means different things in different reports.
"""

from council_bacs.reasons import AccountState, ReasonCode


class AruddCode(ReasonCode):
    """Why a Direct Debit was not paid: the Automated Return of Unpaid Direct Debits.

    Only after `0` may the same amount be presented again, within a month of the first processing day.
    """

    REFER_TO_PAYER = "0", "refer to payer", "The bank did not pay and does not say why; often money is short."
    INSTRUCTION_CANCELLED = "1", "instruction cancelled", "The payer or the bank has cancelled the instruction."
    PAYER_DECEASED = "2", "payer deceased", "The payer has died.", AccountState.HOLDER_DIED
    ACCOUNT_TRANSFERRED = "3", "account transferred", "The account has moved to another bank.", AccountState.MOVED
    ADVANCE_NOTICE_DISPUTED = "4", "advance notice disputed", "The payer disputes the advance notice."
    NO_ACCOUNT = "5", "no account", "There is no such account, or it is of the wrong type.", AccountState.UNKNOWN
    NO_INSTRUCTION = "6", "no instruction", "The payer's bank holds no instruction for this collection."
    AMOUNT_DIFFERS = "7", "amount differs", "The amount is not the one the payer was given notice of."
    NOT_YET_DUE = "8", "amount not yet due", "It was collected before the day the payer was given notice of."
    PRESENTATION_OVERDUE = "9", "presentation overdue", "It was collected too long after the day it was due."
    SERVICE_USER_DIFFERS = "A", "service user differs", "The instruction is in favour of another service user."
    ACCOUNT_CLOSED = "B", "account closed", "The account has been closed.", AccountState.CLOSED


class AddacsCode(ReasonCode):
    """What became of an instruction: the Automated Direct Debit Amendment and Cancellation Service."""

    CANCELLED_BY_BANK = (
        "0",
        "instruction cancelled, refer to payer",
        "The bank has cancelled the instruction; nothing can be collected from this account any more.",
    )
    CANCELLED_BY_PAYER = "1", "instruction cancelled by payer", "The payer told the bank to cancel the instruction."
    PAYER_DECEASED = "2", "payer deceased", "The payer has died.", AccountState.HOLDER_DIED
    ACCOUNT_TRANSFERRED = "3", "account transferred", "The account has moved to another bank.", AccountState.MOVED
    ACCOUNT_CLOSED = "B", "account closed", "The account has been closed.", AccountState.CLOSED
    OTHER_BRANCH = (
        "C",
        "account transferred to a different branch",
        "The account has other details at the same bank; the instruction stands.",
        AccountState.MOVED,
    )
    ADVANCE_NOTICE_DISPUTED = "D", "advance notice disputed", "The payer disputes the advance notice."
    INSTRUCTION_AMENDED = "E", "instruction amended", "The bank has amended the instruction as the report says."
    INSTRUCTION_REINSTATED = "R", "instruction reinstated", "A cancelled instruction stands again."


class AuddisCode(ReasonCode):
    """Why an instruction was not set up: the Automated Direct Debit Instruction Service, returned by the bank."""

    CANCELLED_BY_PAYER = "1", "instruction cancelled by payer", "The payer told the bank to cancel the instruction."
    PAYER_DECEASED = "2", "payer deceased", "The payer has died.", AccountState.HOLDER_DIED
    ACCOUNT_TRANSFERRED = "3", "account transferred", "The account has moved to another bank.", AccountState.MOVED
    NO_ACCOUNT = "5", "no account", "The bank has no account of this number.", AccountState.UNKNOWN
    NO_INSTRUCTION = "6", "no instruction", "The bank holds no such instruction to cancel or convert."
    AMOUNT_NOT_ZERO = "7", "amount not zero", "An instruction carries no amount, and this one did."
    ACCOUNT_CLOSED = "B", "account closed", "The account has been closed.", AccountState.CLOSED
    OTHER_BRANCH = (
        "C",
        "account transferred to a different branch",
        "The account has other details at the same bank; the instruction stands.",
        AccountState.MOVED,
    )
    INVALID_ACCOUNT_TYPE = (
        "F",
        "invalid account type",
        "The bank takes no Direct Debits on accounts of this type.",
        AccountState.UNSUITABLE,
    )
    NOT_ACCEPTED = (
        "G",
        "bank will not accept Direct Debits on account",
        "The bank takes no Direct Debits on this account.",
        AccountState.UNSUITABLE,
    )
    INSTRUCTION_EXPIRED = "H", "instruction has expired", "The instruction was unused for too long."
    REFERENCE_NOT_UNIQUE = "I", "payer reference is not unique", "Another instruction has this reference."
    CANCELLED_BY_BANK = "K", "instruction cancelled by bank", "The bank has cancelled the instruction."
    INCORRECT_DETAILS = (
        "L",
        "incorrect payer's account details",
        "The details are not those of the payer's account.",
        AccountState.UNKNOWN,
    )
    STATUS_INCOMPATIBLE = "M", "transaction code and user status incompatible", "Our file used a code we may not use."
    DISALLOWED_AT_BRANCH = (
        "N",
        "transaction disallowed at payer's branch",
        "The payer's branch takes no such instructions.",
        AccountState.UNSUITABLE,
    )
    INVALID_REFERENCE = "O", "invalid reference", "The reference breaks the scheme's rules for references."
    PAYER_NAME_MISSING = "P", "payer's name not present", "The instruction named no payer."
    SERVICE_USER_NAME_MISSING = "Q", "service user name is blank", "The instruction did not name the council."


class DdicCode(ReasonCode):
    """Why a payer's bank claims a Direct Debit back under the Guarantee: a Direct Debit Indemnity Claim."""

    DIFFERS_FROM_NOTICE = "1", "amount or date differs from advance notice", "Not what the payer was given notice of."
    NO_NOTICE = (
        "2",
        "no advance notice received, or amount disputed",
        "The payer had no notice, or disputes it.",
    )
    CANCELLED_BY_BANK = "3", "instruction cancelled by paying bank", "The bank had cancelled the instruction."
    CANCELLED_WITH_SERVICE_USER = "4", "payer cancelled with service user", "The payer had cancelled it with us."
    NO_INSTRUCTION = "5", "no instruction held", "The bank holds none, or the payer denies having given it."
    SIGNATURE_WRONG = (
        "6",
        "signature fraudulent or not authorised",
        "The signature is not the account holder's.",
    )
    OUR_REQUEST = "7", "claim raised at service user's request", "We asked for it after the money was taken."
    NAME_NOT_RECOGNISED = "8", "service user name disputed", "The payer does not know who collected."
