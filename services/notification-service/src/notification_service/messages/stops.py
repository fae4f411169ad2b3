"""What stops a message, whatever made it: asked when it is written by hand and again whenever it is about to leave.

Source: SI 2020/1311 reg 7 and 11 for breathing space; council policy for suppression, death and other holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, FieldError, Malformed

from notification_service.messages.purposes import ENFORCING, Purpose
from notification_service.recipients.rules import Debt, Hold, Recipient

BALANCE = "outstanding_pence"
"""The value of a message that says what is owed."""

SENTENCES = {
    "deceased": "The customer has died: write to the representatives, with the purpose estate.",
    "suppressed": "The customer is not written to about a debt (contact suppression).",
    "breathing_space": "The debt is in breathing space (SI 2020/1311 reg 7): nothing that enforces it is sent.",
    "on_hold": "The debt is on hold: nothing that enforces it is sent.",
    "settled": "Nothing is owed any more.",
    "receivable_cancelled": "The debt was cancelled.",
    "balance_changed": "What is owed is not what the message says.",
}


class MessageStopped(Conflict):
    """A message may not be sent to this customer, about this debt, for this purpose; `reason` is why."""

    code = "message-stopped"


@dataclass(frozen=True, slots=True)
class Standing:
    """Customer and debt as debt-service knows them now. `holds` are asked for where a message was written by hand."""

    customer: Recipient
    debt: Debt | None = None
    holds: Sequence[Hold] = ()


def reason_to_stop(
    purpose: Purpose,
    standing: Standing,
    *,
    receivable_id: UUID | None,
    stated_pence: int | None,
    to_customer: bool = True,
) -> str | None:
    """Why a message must not leave; None where it may. `stated_pence`: what it says is owed.

    >>> held = Standing(Recipient("A", on_hold=True))
    >>> reason_to_stop(Purpose.ENFORCE_DEBT, held, receivable_id=None, stated_pence=None)
    'on_hold'
    """
    debt = standing.debt
    if to_customer and any(hold.reason == "deceased" for hold in standing.holds):
        return "deceased"
    if purpose in ENFORCING and standing.customer.suppressed:
        return "suppressed"
    stopped = _not_owed(debt) or _held(purpose, standing, receivable_id) if purpose in ENFORCING else None
    if stopped is not None:
        return stopped
    if debt is not None and stated_pence is not None and stated_pence != debt.outstanding_pence:
        return "balance_changed"
    return None


def _not_owed(debt: Debt | None) -> str | None:
    if debt is not None and debt.status == "cancelled":
        return "receivable_cancelled"
    return "settled" if debt is not None and (debt.status == "settled" or debt.outstanding_pence <= 0) else None


def _held(purpose: Purpose, standing: Standing, receivable_id: UUID | None) -> str | None:
    """The hold that stops a purpose.

    An ongoing liability and a debt outside the moratorium go past a breathing space on all of a customer, or on another
    debt, for they are not in it; one on the very debt stops them, too.
    """
    reaching = [hold for hold in standing.holds if hold.holds_all or hold.receivable_id == receivable_id]
    if purpose is not Purpose.ENFORCE_DEBT:
        reaching = [
            hold for hold in reaching if hold.receivable_id == receivable_id or hold.reason != "breathing_space"
        ]
    if any(hold.reason == "breathing_space" for hold in reaching):
        return "breathing_space"
    on_hold = standing.customer.on_hold or (standing.debt is not None and standing.debt.on_hold)
    return "on_hold" if reaching or (on_hold and purpose is Purpose.ENFORCE_DEBT) else None


def must_be_about(values: Mapping[str, Any], debt: Debt, *, customer_id: UUID) -> None:
    """Raise Malformed where a debt is another customer's, or values of a message say another number or day of it."""
    errors = []
    if debt.customer_id != customer_id:
        errors.append(FieldError("receivable_id", "is another customer's", "a debt of the recipient"))
    for name, true in (("number", debt.number), ("due_on", debt.due_on.isoformat())):
        if name in values and values[name] != true:
            errors.append(FieldError(f"values.{name}", "is not that of the debt", true))
    if errors:
        raise Malformed("The message does not say what is true of the debt; see errors.", errors=errors)


def must_not_be_stopped(reason: str | None) -> None:
    """Raise MessageStopped for a reason to stop."""
    if reason is not None:
        raise MessageStopped(SENTENCES[reason], reason=reason)
