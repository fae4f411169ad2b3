"""Messages over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from council_common.database.rows import get_row
from council_common.fields import NoteIn
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.acts import Act, acting
from council_common.web.csv_export import report_csv
from council_common.web.dependencies import RuntimeDep, SessionDep, requires
from council_common.web.resource_routes import CSV_RESPONSE, export_route, history_route, list_route, read_route
from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.messages import store
from notification_service.messages.lists import BodyQuery, MessageList, TotalsQuery
from notification_service.messages.rules import NotYetWorded
from notification_service.messages.schemas import (
    BodyOut,
    MessageIn,
    MessageOut,
    MessageWithLogOut,
    StatusOut,
    TotalOut,
    TotalsOut,
)
from notification_service.messages.tables import Message
from notification_service.messages.usecases import cancel_message, send_again, template_for, write_by_hand
from notification_service.recipients.directory import FoundRecipients, find_debts, find_holds, find_recipients
from notification_service.recipients.rules import RecipientKind

router = resource_router("messages")

Reader = Annotated[Actor, requires("messages:read")]
Writing = Annotated[Act, acting("messages:write")]


async def _found(
    message: MessageIn, runtime: RuntimeDep, _: Annotated[Actor, requires("messages:write")]
) -> FoundRecipients:
    """What debt-service says of a customer and a debt: asked before the transaction of the act begins."""
    if message.recipient.kind is not RecipientKind.CUSTOMER:
        return FoundRecipients()
    found = await find_recipients(runtime.clients, {(message.recipient.kind, message.recipient.id)})
    if message.receivable_id is not None:
        await find_debts(runtime.clients, found, {message.receivable_id})
    await find_holds(runtime.clients, found, {message.recipient.id})
    return found


@router.post("", status_code=201)
async def write(message: MessageIn, found: Annotated[FoundRecipients, Depends(_found)], act: Writing) -> MessageOut:
    """Send a template to a supplier or customer by hand, with the reason; it leaves within seconds.

    Refused (409 `message-stopped`, with the `reason`) where the customer has died, is suppressed or in breathing space,
    or where the debt is on hold, paid, cancelled or of another sum, unless the purpose lets it pass.
    """
    template = await template_for(act.session, message.template)
    new = message.new_message(template.purpose)
    written = await write_by_hand(act.session, new, template, found, note=message.note, by=act.by, at=act.at)
    return _answer(act, written)


@router.get("/totals")
async def count(query: Annotated[TotalsQuery, Query()], session: SessionDep, _: Reader) -> TotalsOut:
    """How many messages there are by template, channel and status: to reconcile with the carrier."""
    items = [TotalOut.model_validate(row) for row in await store.totals(session, query.messages.narrow)]
    return TotalsOut(items=items, count=sum(item.count for item in items))


@router.get("/totals/export.csv", response_class=Response, responses=CSV_RESPONSE)
async def export_totals(query: Annotated[TotalsQuery, Query()], session: SessionDep, _: Reader) -> Response:
    """The same counts as CSV."""
    rows = await store.totals(session, query.messages.narrow)
    return report_csv(("template", "channel", "status", "count"), rows, filename="message-totals.csv")


async def _with_logs(session: AsyncSession, messages: Sequence[Any]) -> list[MessageWithLogOut]:
    return [
        MessageWithLogOut.of(
            message, status_history=[StatusOut.of(line) for line in await store.log_of(session, message.id)]
        )
        for message in messages
    ]


list_route(router, MessageList, MessageOut, scope="messages:read")
export_route(router, MessageList, scope="messages:read")
read_route(router, MessageWithLogOut, of=Message, scope="messages:read", show=_with_logs)
history_route(router, of=Message, scope="messages:read")


@router.get("/{message_id}/body")
async def read_body(message_id: UUID, query: Annotated[BodyQuery, Query()], session: SessionDep, _: Reader) -> BodyOut:
    """The words, the template version that made them, and the address they went to."""
    message = await get_row(session, Message, message_id)
    rendering = await store.rendering_of(session, message_id, query.rendering or message.rendering)
    if rendering is None:
        raise NotYetWorded("This message has no words under this number yet.")
    return BodyOut.of(rendering)


@router.post("/{message_id}/cancellations", status_code=201)
async def cancel(message_id: UUID, cancellation: NoteIn, act: Writing) -> MessageOut:
    """Cancel a message that has not left, with the reason."""
    return _answer(act, await cancel_message(act.session, message_id, by=act.by, at=act.at, note=cancellation.note))


@router.post("/{message_id}/resendings", status_code=201)
async def resend(message_id: UUID, resending: NoteIn, act: Writing) -> MessageOut:
    """Send a failed message again, with the reason, to the address its recipient has now; a warning to its own.

    A dunning notice that never left is not sent again here (409): its debt is dunned anew.
    """
    return _answer(act, await send_again(act.session, message_id, by=act.by, at=act.at, note=resending.note))


def _answer(act: Act, message: Message) -> MessageOut:
    act.answers(f"{router.prefix}/{message.id}", message.version)
    return MessageOut.of(message)
