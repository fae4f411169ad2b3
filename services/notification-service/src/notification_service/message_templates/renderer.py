"""Asking the child process that checks and fills in templates: never on the event loop, never without an end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from council_common.errors import Unavailable
from council_common.runtime.child_process import ChildEnded, ChildProcess

from notification_service.message_templates.rendering_child import Check, Fill, NotRendered, Refused
from notification_service.message_templates.rules import (
    RENDERING_STOPPED,
    CannotRender,
    InvalidTemplate,
    Rendered,
    Wording,
)

# The child bounds its own processor time; these end what it cannot bound itself.
CHILD = ChildProcess(
    "notification_service.message_templates.rendering_child",
    answer_seconds=10,
    mebibytes=512,
    packages=("council_common.errors",),
)


async def placeholders_in(wording: Wording) -> set[str]:
    """The placeholders that the texts of a template use. Raises InvalidTemplate, and Unavailable for a lost child."""
    texts = {"subject": wording.subject, "text": wording.text}
    try:
        answer = await asyncio.to_thread(
            CHILD.ask, Check(texts if wording.html is None else {**texts, "html": wording.html})
        )
    except ChildEnded:
        raise Unavailable("The template could not be checked at the moment; please try again.") from None
    match answer:
        case Refused():
            raise InvalidTemplate(answer.detail, errors=answer.errors)
        case NotRendered():
            raise InvalidTemplate(f"The template cannot be checked: {answer.explanation}.")
    return set(answer)


async def rendered(*, subject: str, text: str, html: str | None, values: Mapping[str, Any]) -> Rendered:
    """The message in its final words. Raises CannotRender."""
    try:
        answer = await asyncio.to_thread(CHILD.ask, Fill(subject, text, html, dict(values)))
    except ChildEnded:
        # Perhaps its own doing, perhaps the machine's: it is tried again, a few times.
        raise CannotRender(RENDERING_STOPPED, "the process that renders was ended", final=False) from None
    if isinstance(answer, NotRendered):
        raise CannotRender(answer.code, answer.explanation)
    words: Rendered = answer
    return words
