"""Who may decide an approval limit, and from which day to which it may be in force."""

from __future__ import annotations

from collections.abc import Set
from datetime import date

from council_common.errors import Conflict, FieldError, Forbidden, Malformed


class ApprovalLimitOverlaps(Conflict):
    """The role has another limit for this department, or for every one, on one of these days."""

    code = "approval-limit-overlaps"


class ApprovalLimitEnded(Conflict):
    """The limit was ended before."""

    code = "approval-limit-already-ended"


class ApprovalLimitMalformed(Malformed):
    """The days of the limit are invalid."""

    code = "approval-limit-malformed"


class OwnRole(Forbidden):
    """Nobody decides what she may approve herself."""

    code = "own-role"


def check_role(role: str, held: Set[str]) -> None:
    """Raise OwnRole for a role that who decides holds herself."""
    if role in held:
        raise OwnRole("A limit of a role is decided by someone who does not hold that role.")


def check_last_day(effective_to: date | None, *, effective_from: date, planned: date | None = None) -> None:
    """Raise ApprovalLimitMalformed for a last day before the first, or after the one that was `planned`."""
    if effective_to is None or effective_from <= effective_to <= (planned or effective_to):
        return
    right = f"from {effective_from} to {planned}" if planned else f"at least {effective_from}"
    error = FieldError("effective_to", "is not a day on which the limit can end", right)
    raise ApprovalLimitMalformed("The limit is invalid; see errors.", errors=[error])
