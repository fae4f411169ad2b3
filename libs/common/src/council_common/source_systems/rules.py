"""Who may decide about whom."""

from __future__ import annotations

from council_common.errors import Conflict, Forbidden
from council_common.identity.actor import Actor
from council_common.identity.source_systems import Caller, is_one_of


class AlreadyBound(Conflict):
    """The caller may use this name already."""

    code = "source-system-already-bound"


class BindingEnded(Conflict):
    """The binding was ended before."""

    code = "source-system-binding-ended"


class BindsOneself(Forbidden):
    """Nobody gives herself a name to record under."""

    code = "own-role"


def check_caller(caller: Caller, by: Actor) -> None:
    """Raise BindsOneself for a client or role of who decides: two people stand between a name and its use."""
    if is_one_of(by, [caller]):
        raise BindsOneself("A source system is bound by someone who cannot use the binding herself.")
