"""/v1/receivables."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from council_common.database.history import ChangeOut, history_of
from council_common.identity.actor import Actor
from council_common.service.api import BULK_BODY_LIMIT, resource_router
from council_common.web.csv_download import csv_download
from council_common.web.dependencies import Now, RuntimeDep, SessionDep, requires
from council_common.web.idempotency import Idempotent
from council_common.web.pages import Page, PageQuery, fetch_page
from council_common.web.preconditions import etag
from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from debt_service.bulk import BulkIn, BulkOut, read_lines
from debt_service.fields import NO_CONTROL_CHARACTERS, Day, WantedPence, WantedText
from debt_service.ledger.receivables import store
from debt_service.ledger.receivables.rules import ReceivableStatus
from debt_service.ledger.receivables.schemas import (
    CancellationIn,
    OverdueMarkingIn,
    OverdueMarkingOut,
    ReceivableIn,
    ReceivableOut,
)
from debt_service.ledger.receivables.store import ReceivableFilter
from debt_service.ledger.receivables.tables import Receivable
from debt_service.ledger.receivables.usecases import cancel_receivable, mark_overdue, raise_receivables

router = resource_router("receivables")

EXPORTED = (
    "id",
    "number",
    "customer_id",
    "department",
    "debt_type",
    "issued_on",
    "due_on",
    "gross_pence",
    "outstanding_pence",
    "status",
    "dunning_level",
    "last_notice_on",
    "last_notice_sent_on",
    "on_hold",
)


async def _filter(
    *,
    ids: Annotated[list[UUID] | None, Query(max_length=200)] = None,
    customer_id: UUID | None = None,
    number: Annotated[str | None, Query(max_length=40, pattern=NO_CONTROL_CHARACTERS)] = None,
    status: ReceivableStatus | None = None,
    overdue_as_at: Annotated[Day | None, Query(description="Still owed, and due before this day.")] = None,
    department: WantedText = None,
    debt_type: WantedText = None,
    due_from: Day | None = None,
    due_to: Day | None = None,
    min_outstanding_pence: WantedPence = None,
    max_outstanding_pence: WantedPence = None,
    level: Annotated[int | None, Query(ge=0, le=20, description="The last notice's level; 0 for none.")] = None,
    on_hold: bool | None = None,
) -> ReceivableFilter:
    return ReceivableFilter(
        ids=ids or (),
        customer_id=customer_id,
        number=number,
        status=status,
        overdue_as_at=overdue_as_at,
        department=department,
        debt_type=debt_type,
        due_from=due_from,
        due_to=due_to,
        min_outstanding_pence=min_outstanding_pence,
        max_outstanding_pence=max_outstanding_pence,
        level=level,
        on_hold=on_hold,
    )


Filter = Annotated[ReceivableFilter, Depends(_filter)]


@router.post("", status_code=201, dependencies=[Idempotent], responses={200: {"model": ReceivableOut}})
async def raise_one(
    receivable: ReceivableIn,
    response: Response,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("debts:write")],
) -> ReceivableOut:
    """Charge a customer; 200 with what is there when the source reference is known with the same content."""
    [outcome] = await raise_receivables(session, [(1, receivable.as_new())], by=by, at=now)
    raised = await store.get_receivable(session, outcome.raise_if_refused())
    response.status_code = 201 if outcome.result == "created" else 200
    response.headers["etag"] = etag(raised.version)
    return ReceivableOut.of(raised)


@router.post("/bulk", dependencies=[Idempotent], max_body_size=BULK_BODY_LIMIT)
async def raise_many(
    body: BulkIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]
) -> BulkOut:
    """Charge customers, up to 5,000 lines; each line has its own outcome."""
    good, bad = read_lines(ReceivableIn, body.items)
    charges = [(line, receivable.as_new()) for line, receivable in good]
    outcomes = await raise_receivables(session, charges, by=by, at=now)
    return BulkOut.of([*outcomes, *bad])


@router.post("/overdue-markings", status_code=201, dependencies=[Idempotent])
async def mark(
    marking: OverdueMarkingIn, session: SessionDep, now: Now, by: Annotated[Actor, requires("debts:write")]
) -> OverdueMarkingOut:
    """Mark what was due before a day and is still owed; the daily job does the same for today."""
    marked = await mark_overdue(session, as_at=marking.as_at, by=by, at=now)
    return OverdueMarkingOut(as_at=marking.as_at, marked=marked)


@router.get("")
async def list_receivables(
    session: SessionDep,
    page: Annotated[PageQuery, Depends()],
    filters: Filter,
    _: Annotated[Actor, requires("debts:read")],
) -> Page[ReceivableOut]:
    """Receivables, filtered and sorted."""
    receivables, cursor = await fetch_page(
        session,
        store.receivables_where(filters),
        query=page,
        sortable={
            "due_on": Receivable.due_on,
            "issued_on": Receivable.issued_on,
            "number": Receivable.number,
            "outstanding_pence": Receivable.outstanding_pence,
        },
        default="due_on",
        id_column=Receivable.id,
    )
    return Page(items=[ReceivableOut.of(receivable) for receivable in receivables], next=cursor)


@router.get("/export.csv", response_class=StreamingResponse)
async def export(
    runtime: RuntimeDep, filters: Filter, _: Annotated[Actor, requires("debts:read")]
) -> StreamingResponse:
    """The same list as CSV, whole, in the order in which the debts were raised."""
    columns = [getattr(Receivable, name) for name in EXPORTED]
    statement = store.receivables_where(filters).with_only_columns(*columns)
    return csv_download(runtime.sessions, statement, Receivable.id, filename="receivables.csv")


@router.get("/{receivable_id}")
async def get(
    receivable_id: UUID, response: Response, session: SessionDep, _: Annotated[Actor, requires("debts:read")]
) -> ReceivableOut:
    """One receivable."""
    receivable = await store.get_receivable(session, receivable_id)
    response.headers["etag"] = etag(receivable.version)
    return ReceivableOut.of(receivable)


@router.get("/{receivable_id}/history")
async def history(
    receivable_id: UUID, session: SessionDep, _: Annotated[Actor, requires("debts:read")]
) -> list[ChangeOut]:
    """Every change of a receivable: who, when and why."""
    await store.get_receivable(session, receivable_id)
    return await history_of(session, receivable_id)


@router.post("/{receivable_id}/cancellations", status_code=201, dependencies=[Idempotent])
async def cancel(
    receivable_id: UUID,
    cancellation: CancellationIn,
    session: SessionDep,
    now: Now,
    by: Annotated[Actor, requires("debts:write")],
) -> ReceivableOut:
    """Cancel what is outstanding by a credit note, VAT in proportion."""
    reason, note = cancellation.reason, cancellation.note
    await cancel_receivable(session, receivable_id, reason=reason, note=note, by=by, at=now)
    return ReceivableOut.of(await store.get_receivable(session, receivable_id))
