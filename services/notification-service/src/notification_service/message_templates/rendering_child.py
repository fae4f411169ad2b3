"""Templates are checked and filled in here, in a child process that its parent can end.

It knows no database and no address; what is asked and answered goes through the pipe (`council_common.runtime`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from council_common.errors import FieldError
from council_common.runtime.child_process import Fetch

from notification_service.message_templates.rendering import placeholders_of, render
from notification_service.message_templates.rules import CannotRender, InvalidTemplate, Rendered

CPU_SECONDS = 2.0
"""What one template may take of a processor; a letter takes a hundredth."""


@dataclass(frozen=True, slots=True)
class Check:
    """The request for the placeholders of a template's texts; the answer is a sorted list, or Refused."""

    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fill:
    """The request for a message in its words; the answer is Rendered, or NotRendered."""

    subject: str
    text: str
    html: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """No template; what is wrong with it."""

    detail: str
    errors: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class NotRendered:
    """Template and values make no message."""

    code: str
    explanation: str


class _TimeIsUp(Exception):
    """The work took all the processor time there is for it."""


def handle(request: Check | Fill, _: Fetch) -> list[str] | Refused | Rendered | NotRendered:
    """Answer one request. What cannot be done is an answer, too."""
    try:
        with _bounded_time():
            return _checked(request) if isinstance(request, Check) else _filled(request)
    except InvalidTemplate as wrong:
        return Refused(wrong.detail, wrong.errors)
    except CannotRender as wrong:
        return NotRendered(wrong.code, wrong.explanation)
    except _TimeIsUp:
        return NotRendered("rendering_too_slow", f"more than {CPU_SECONDS:.0f} seconds of work")


def _checked(request: Check) -> list[str]:
    return sorted(set().union(*(placeholders_of(text, field=field) for field, text in request.texts.items())))


def _filled(request: Fill) -> Rendered:
    return render(subject=request.subject, text=request.text, html=request.html, values=request.values)


@contextmanager
def _bounded_time() -> Iterator[None]:
    """Raise _TimeIsUp when the block has taken its processor time; a busy machine makes nothing late."""

    def end(*_: object) -> None:
        raise _TimeIsUp

    signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
