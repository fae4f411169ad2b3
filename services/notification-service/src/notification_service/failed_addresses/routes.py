"""Failed addresses over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.fields import NoteIn
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.resource_routes import reading_routes

from notification_service.failed_addresses.lists import FailedAddressList
from notification_service.failed_addresses.schemas import FailedAddressOut
from notification_service.failed_addresses.tables import FailedAddress
from notification_service.failed_addresses.usecases import confirm_address

router = resource_router("failed-addresses")

reading_routes(router, FailedAddressList, FailedAddressOut, of=FailedAddress, scope="messages:read")


@router.post("/{failed_address_id}/confirmations", status_code=201)
async def confirm(
    failed_address_id: UUID, why: NoteIn, act: Annotated[Act, acting("failed-addresses:write")]
) -> FailedAddressOut:
    """Say, with the reason, that the address works again: it is written to, and its debts can be dunned."""
    confirmed = await confirm_address(act.session, failed_address_id, note=why.note, by=act.by, at=act.at)
    act.answers(f"{router.prefix}/{confirmed.id}", confirmed.version)
    return FailedAddressOut.of(confirmed)
