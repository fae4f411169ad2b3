"""What each sender of messages fills in: declared once, and held to by templates, senders and ladders alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ValueKind(StrEnum):
    """What a placeholder of a template takes.

    `date`: ISO, 2026-03-31. `pence`: whole pence, not negative. `count`: a whole number, not negative. `lines`: a list
    that a sender makes, as of the items of a payment; nobody writes it by hand.
    """

    TEXT = "text"
    DATE = "date"
    PENCE = "pence"
    COUNT = "count"
    LINES = "lines"


class Sender(StrEnum):
    """What messages are written for by the services themselves; all others are sent by hand."""

    DUNNING_NOTICE = "dunning_notice"
    PAYMENT = "payment"
    BANK_ACCOUNT_CHANGE = "bank_account_change"


VALUES_FILLED: Mapping[Sender, Mapping[str, ValueKind]] = {
    # The fields of DunningNoticeIssuedV1.
    Sender.DUNNING_NOTICE: {
        "number": ValueKind.TEXT,
        "level": ValueKind.COUNT,
        "issued_on": ValueKind.DATE,
        "due_on": ValueKind.DATE,
        "outstanding_pence": ValueKind.PENCE,
        "days_overdue": ValueKind.COUNT,
    },
    Sender.PAYMENT: {
        "remitted_on": ValueKind.DATE,
        "arrives_on": ValueKind.DATE,
        "method": ValueKind.TEXT,
        "payment_reference": ValueKind.TEXT,
        "items": ValueKind.LINES,
        "total_paid_pence": ValueKind.PENCE,
    },
    Sender.BANK_ACCOUNT_CHANGE: {"requested_on": ValueKind.DATE},
}
"""By sender, the values its messages have. A template that is written for it asks for these and for no others."""

CHANNELS_USED: Mapping[Sender, frozenset[str]] = {
    # Whoever has no e-mail address gets a notice by post.
    Sender.DUNNING_NOTICE: frozenset({"email", "letter"}),
    Sender.PAYMENT: frozenset({"email"}),
    Sender.BANK_ACCOUNT_CHANGE: frozenset({"email"}),
}
"""The channels that every version of a template written for a sender must be for."""
