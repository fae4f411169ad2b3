"""Reason codes of the reports on Bacs credits: returned (ARUCS), and applied with other details (AWACS).

Both are acted on within three working days (Pay.UK, Bacs Direct Credit scheme rules).
"""

from council_bacs.reasons import AccountState, ReasonCode


class ArucsCode(ReasonCode):
    """Why a Bacs credit came back: the Automated Return of Unapplied Credits Service.

    Source: Pay.UK, bacs.co.uk "ARUCS"; codes as Bottomline lists them, ptx-rbs.readme.io/docs/arucs-aop.
    """

    INVALID_DETAILS = (
        "0",
        "invalid details",
        "The bank does not recognise the account details; ask the beneficiary for the right ones.",
        AccountState.UNKNOWN,
    )
    BENEFICIARY_DECEASED = "2", "beneficiary deceased", "The account's holder has died.", AccountState.HOLDER_DIED
    ACCOUNT_TRANSFERRED = (
        "3",
        "account transferred",
        "The account has moved to another bank or building society.",
        AccountState.MOVED,
    )
    NO_ACCOUNT = "5", "no account", "The bank has no account of this number.", AccountState.UNKNOWN
    ACCOUNT_CLOSED = "B", "account closed", "The account has been closed.", AccountState.CLOSED
    REQUESTED_BY_REMITTER = "C", "requested by remitter", "Whoever sent the payment asked for it not to be applied."


class AwacsCode(ReasonCode):
    """Why a Bacs credit was applied with other details than were sent: Advice of Wrong Account for Credits Service.

    The report has the right details; they are a change of bank account like any other.
    Source: Pay.UK, bacs.co.uk "AWACS"; codes as Access PaySuite lists them, article 12587645 of its help pages.
    """

    INVALID_DETAILS = "0", "invalid details", "The details sent were wrong; the payment went to the right ones."
    ACCOUNT_TRANSFERRED = (
        "3",
        "account transferred",
        "The account has moved; the payment went to the new one.",
        AccountState.MOVED,
    )
