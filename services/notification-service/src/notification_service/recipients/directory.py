"""Asking supplier-service and debt-service who their suppliers and customers are and how to reach them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import httpx
from council_common.errors import Unavailable
from council_common.observability.logs import get_logger
from council_common.runtime.clients import ServiceClients
from pydantic import BaseModel, ValidationError

from notification_service.recipients.rules import Contact, Recipient, RecipientKind

log = get_logger()

ASKED_AT_ONCE = 100  # ids in one question: the address of the request stays under 5 kB

_ASKED: dict[RecipientKind, tuple[Literal["supplier", "debt"], str]] = {
    RecipientKind.SUPPLIER: ("supplier", "/v1/suppliers"),
    RecipientKind.CUSTOMER: ("debt", "/v1/customers"),
}

Key = tuple[RecipientKind, UUID]


class _ContactIn(BaseModel):
    email: str | None = None
    purpose: str | None = None


class _AddressIn(BaseModel):
    lines: list[str] = []
    postcode: str | None = None


class _RecordIn(BaseModel):
    """What we read of a supplier or customer; everything else is not our business."""

    id: UUID
    name: str
    kind: str | None = None
    email: str | None = None
    contacts: list[_ContactIn] = []
    address: _AddressIn | None = None

    def recipient(self) -> Recipient:
        found = [Contact(each.email, each.purpose or "general") for each in self.contacts if each.email]
        if self.email:
            found.append(Contact(self.email))
        address = self.address or _AddressIn()
        return Recipient(
            name=self.name,
            kind=self.kind,
            contacts=tuple(found),
            address_lines=tuple(address.lines),
            postcode=address.postcode,
        )


@dataclass
class Answer:
    """Who was found, and whose service could not be asked at the moment."""

    found: dict[Key, Recipient] = field(default_factory=dict)
    away: set[RecipientKind] = field(default_factory=set)


async def find_recipients(clients: ServiceClients, wanted: Iterable[Key]) -> Answer:
    """The recipients of many messages, asked in bulk; never call this with a transaction open."""
    answer = Answer()
    wanted = set(wanted)
    for kind in RecipientKind:
        ids = sorted(recipient_id for of_kind, recipient_id in wanted if of_kind == kind)
        try:
            for start in range(0, len(ids), ASKED_AT_ONCE):
                for record in await _ask(clients, kind, ids[start : start + ASKED_AT_ONCE]):
                    answer.found[kind, record.id] = record.recipient()
        except (Unavailable, httpx.HTTPError, ValueError) as fault:
            # A refusal (401, 403, 422) or an answer we cannot read is a fault of ours or theirs, not the recipient's.
            log.warning("recipients_not_found_out", recipient_kind=kind, cause=type(fault).__name__)
            answer.away.add(kind)
    return answer


async def _ask(clients: ServiceClients, kind: RecipientKind, ids: list[UUID]) -> list[_RecordIn]:
    service, path = _ASKED[kind]
    page: Any = await clients.get(service, path, ids=[str(each) for each in ids], limit=200)
    if page is None:
        raise Unavailable(f"{service}-service does not know {path}.")
    return [record for item in page["items"] if (record := _read(item)) is not None]


def _read(item: Any) -> _RecordIn | None:
    try:
        return _RecordIn.model_validate(item)
    except ValidationError as wrong:
        log.warning("recipient_not_readable", fields=[".".join(map(str, each["loc"])) for each in wrong.errors()])
        return None
