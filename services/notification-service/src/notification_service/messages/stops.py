"""What stops a message, whatever made it: asked when it is written by hand and again whenever it is about to leave."""

from __future__ import annotations

from notification_service.recipients.rules import Debt, Recipient

BALANCE = "outstanding_pence"
"""The value of a message that says what is owed."""


def reason_to_stop(customer: Recipient, debt: Debt | None, *, stated_pence: int | None) -> str | None:
    """Why a message that enforces a debt must not leave; None where it may.

    `stated_pence`: what it says is owed. Source: SI 2020/1311 reg 7 for breathing space, which is a hold; council
    policy for the others.

    >>> from datetime import date
    >>> from uuid import UUID
    >>> debt = Debt(UUID(int=1), "R1", date(2026, 3, 3), 60_00, "overdue")
    >>> reason_to_stop(Recipient("A"), debt, stated_pence=60_00) is None
    True
    >>> reason_to_stop(Recipient("A"), debt, stated_pence=100_00)
    'balance_changed'
    """
    if customer.suppressed:
        return "suppressed"
    if debt is not None and debt.status == "cancelled":
        return "receivable_cancelled"
    if debt is not None and (debt.status == "settled" or debt.outstanding_pence <= 0):
        return "settled"
    if customer.on_hold or (debt is not None and debt.on_hold):
        return "on_hold"
    if debt is not None and stated_pence is not None and stated_pence != debt.outstanding_pence:
        return "balance_changed"
    return None
