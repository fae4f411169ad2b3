"""The templates a ladder names, asked of notification-service, which owns them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from council_common.runtime.clients import ServiceClients

from debt_service.recovery.dunning_procedures.rules import LetterTemplate

# What notification-service names templates by; another name is none of its own, and is not put into an address.
_NAME = re.compile(r"[a-z][a-z0-9_]{1,59}")


async def ask_for_templates(clients: ServiceClients, names: Iterable[str]) -> dict[str, LetterTemplate]:
    """The templates of these names in the versions in use; a name that has none is missing.

    Call it before anything is locked: it waits for another service. Raises Unavailable.
    """
    asked = sorted({name for name in names if _NAME.fullmatch(name)})
    answers = await asyncio.gather(*(clients.get("notification", f"/v1/message-templates/{name}") for name in asked))
    return {
        name: LetterTemplate(frozenset(answer["channels"]), answer["written_for"], answer["status"] == "approved")
        for name, answer in zip(asked, answers, strict=True)
        if answer is not None
    }
