"""/v1/messages."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut
from council_common.identity.actor import Actor
from council_common.service.api import resource_router
from council_common.web.dependencies import Now, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery
from council_common.web.preconditions import etag
from fastapi import Depends, Query, Response

from notification_service.message_templates.rules import NAME_PATTERN, Channel
from notification_service.messages import queries
from notification_service.messages.rules import NoSuchMessage, Period, Status
from notification_service.messages.schemas import (
    BodyOut,
    Code,
    MessageIn,
    MessageOut,
    MessageWithLogOut,
    ReasonIn,
    StatusOut,
    TotalOut,
    TotalsOut,
    change_out,
)
from notification_service.messages.usecases import cancel_message, send_again, write_by_hand
from notification_service.recipients.rules import RecipientKind

router = resource_router("messages")

Reader = Annotated[Actor, requires("messages:read")]
Writer = Annotated[Actor, requires("messages:write")]


_EARLIEST, _LATEST = date(1990, 1, 1), date(2999, 12, 31)


def _period(
    first: Annotated[
        date | None, Query(alias="from", ge=_EARLIEST, le=_LATEST, description="Made on or after this day (London).")
    ] = None,
    last: Annotated[
        date | None, Query(alias="to", ge=_EARLIEST, le=_LATEST, description="Made on or before this day (London).")
    ] = None,
) -> Period:
    return Period(first, last)


def _filter(
    *,
    template: Annotated[str | None, Query(pattern=NAME_PATTERN)] = None,
    channel: Channel | None = None,
    status: Status | None = None,
    recipient_kind: RecipientKind | None = None,
    recipient_id: UUID | None = None,
    about_kind: Annotated[Code | None, Query()] = None,
    about_id: UUID | None = None,
) -> queries.Filter:
    return queries.Filter(
        template=template,
        channel=channel,
        status=status,
        recipient_kind=recipient_kind,
        recipient_id=recipient_id,
        about_kind=about_kind,
        about_id=about_id,
    )


@router.post("", status_code=201, dependencies=[Idempotent])
async def write(given: MessageIn, response: Response, session: SessionDep, now: Now, by: Writer) -> MessageOut:
    """Send a template to a supplier or customer by hand; it leaves within seconds."""
    message = await write_by_hand(session, given.new_message(), by=by, at=now)
    response.headers["location"] = f"/v1/messages/{message.id}"
    response.headers["etag"] = etag(message.version)
    return MessageOut.of(message)


@router.get("")
async def find(
    filter_: Annotated[queries.Filter, Depends(_filter)],
    period: Annotated[Period, Depends(_period)],
    page: Annotated[PageQuery, Depends()],
    session: SessionDep,
    _: Reader,
) -> Page[MessageOut]:
    """Messages by template, channel, status, recipient, what they are about, and day; newest first."""
    rows, following = await queries.page_of_messages(session, filter_, period, page)
    return Page(items=[MessageOut.of(row) for row in rows], next=following)


@router.get("/totals")
async def count(period: Annotated[Period, Depends(_period)], session: SessionDep, _: Reader) -> TotalsOut:
    """How many messages there are by template, channel and status: to reconcile with the carrier."""
    items = [TotalOut.model_validate(row) for row in await queries.totals(session, period)]
    return TotalsOut(items=items, count=sum(item.count for item in items))


@router.get("/{message_id}")
async def read(message_id: UUID, response: Response, session: SessionDep, _: Reader) -> MessageWithLogOut:
    """A message and its log."""
    message = await queries.message_of(session, message_id)
    response.headers["etag"] = etag(message.version)
    log = [StatusOut.of(row) for row in await queries.log_of(session, message_id)]
    return MessageWithLogOut.of(message, status_history=log)


@router.get("/{message_id}/body")
async def read_body(
    message_id: UUID,
    session: SessionDep,
    _: Reader,
    rendering: Annotated[int | None, Query(ge=1, le=1_000_000, description="The latest where none is named.")] = None,
) -> BodyOut:
    """What was said, by which template version, to which address."""
    message = await queries.message_of(session, message_id)
    row = await queries.rendering_of(session, message_id, rendering or message.rendering)
    if row is None:
        raise NoSuchMessage("This message has not been put into words yet.")
    return BodyOut.of(row)


@router.get("/{message_id}/history")
async def read_history(message_id: UUID, session: SessionDep, _: Reader) -> list[ChangeOut]:
    """Every change of a message, who and when."""
    await queries.message_of(session, message_id)
    return [change_out(row) for row in await queries.log_of(session, message_id)]


@router.post("/{message_id}/cancellations", status_code=201, dependencies=[Idempotent])
async def cancel(message_id: UUID, given: ReasonIn, session: SessionDep, now: Now, by: Writer) -> MessageOut:
    """Cancel a message that has not left."""
    return MessageOut.of(await cancel_message(session, message_id, by=by, at=now, reason=given.reason))


@router.post("/{message_id}/resendings", status_code=201, dependencies=[Idempotent])
async def resend(message_id: UUID, given: ReasonIn, session: SessionDep, now: Now, by: Writer) -> MessageOut:
    """Send a failed message again, to the address its recipient has now; a warning to its own. A dunning notice that
    never left is not sent again here (409): its debt is dunned anew."""
    return MessageOut.of(await send_again(session, message_id, by=by, at=now, reason=given.reason))
