"""Receiving many invoices in one request: the rules of one, a few statements for all, a verdict for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from asyncpg import DeadlockDetectedError, UniqueViolationError
from council_common.clock import london_date
from council_common.database.many_rows import SourceKey, copy_rows, rows_by_source
from council_common.errors import SourceReferenceTaken, Unavailable
from council_common.events.contract import Event
from council_common.events.outbox import OUTBOX_COLUMNS, stream_outbox_rows
from council_common.identity.actor import Actor
from council_common.pause import in_turns
from council_common.recording import Change, record_many
from council_common.runtime.clients import ServiceClients
from council_common.web.bulk import Outcome, refused
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices import bulk_store, rules
from invoice_service.register.invoices.receiving import (
    changes_at_receipt,
    content_hash_of,
    different_fields,
    events_of,
    reasons_at_receipt,
    supplier_closed,
    supplier_not_here,
    values_of,
)
from invoice_service.register.invoices.rules import NewInvoice
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.suppliers.rules import ENDED
from invoice_service.register.suppliers.store import NamedSuppliers
from invoice_service.register.suppliers.usecases import ask_for_unknown

_RACES = 5
_KNOWN_BY = Invoice.__table__.c.id, Invoice.__table__.c.content_hash  # type: ignore[attr-defined]


class Found(NamedTuple):
    """What decides about a new invoice: its supplier, and the one whose number it repeats."""

    supplier_id: UUID
    payment_terms_days: int
    duplicate_of: UUID | None


async def receive_invoices(
    session: AsyncSession,
    news: Sequence[tuple[int, NewInvoice]],
    *,
    by: Actor,
    at: datetime,
    clients: ServiceClients,
) -> list[Outcome]:
    """Store invoices and publish them; the same again finds what is there. `news` has the index of each.

    Suppliers not known here are asked for first, before anything is locked. Raises Unavailable.
    """
    today = london_date(at)
    outcomes: list[Outcome] = []
    sound: list[tuple[int, NewInvoice]] = []
    for index, new in news:
        if problems := rules.problems_of(new, today=today):
            outcomes.append(refused(index, rules.InvoiceMalformed(problems)))
        else:
            sound.append((index, new))
    if not sound:
        return outcomes
    await ask_for_unknown(session, clients, [named(new) for _, new in sound])
    for _ in range(_RACES):
        batch = _Batch(by, at)
        await batch.decide(session, sound)
        try:
            async with session.begin_nested():
                await batch.store(session)
        except (UniqueViolationError, DeadlockDetectedError):
            # Another request took a source or a number a moment ago: look again.
            continue
        return outcomes + batch.outcomes
    raise Unavailable("Other requests are storing these invoices at the moment; please try again.")


def named(new: NewInvoice) -> tuple[UUID | None, str | None, str | None]:
    """How an invoice names its supplier."""
    return new.supplier_id, new.supplier_system, new.supplier_reference


class _Batch:
    """The invoices of one request as they are decided: what is stored, and each one's verdict."""

    def __init__(self, by: Actor, at: datetime) -> None:
        self._by, self._at = by, at
        self.outcomes: list[Outcome] = []
        self._stored: list[dict[str, Any]] = []
        self._events: list[Event] = []
        self._changes: list[Change] = []

    async def decide(self, session: AsyncSession, news: Sequence[tuple[int, NewInvoice]]) -> None:
        """Decide about each in its order: later ones see those before them."""
        suppliers = await NamedSuppliers.share(session, [named(new) for _, new in news])
        existing = await rows_by_source(session, Invoice, {_source(new) for _, new in news}, *_KNOWN_BY)
        numbers = {_number(new, row["supplier_id"]) for _, new in news if (row := suppliers.of(*named(new)))}
        earlier = await bulk_store.earlier_by_number(session, sorted(numbers, key=str))
        known = {source: (row.id, bytes(row.content_hash)) for source, row in existing.items()}
        other: list[tuple[int, NewInvoice, UUID]] = []
        async for index, new in in_turns(news):
            supplier = suppliers.of(*named(new))
            if supplier is None:
                self.outcomes.append(refused(index, supplier_not_here(new)))
                continue
            content = content_hash_of(new, supplier["supplier_id"], rules.stored_lines(new.lines))
            if (there := known.get(_source(new))) is not None:
                if there[1] == content:
                    self.outcomes.append(Outcome(index, "existing", there[0]))
                else:
                    other.append((index, new, supplier["supplier_id"]))
                continue
            if supplier["status"] in ENDED:
                self.outcomes.append(refused(index, supplier_closed(new)))
                continue
            number = _number(new, supplier["supplier_id"])
            values = self._add(new, supplier, earlier.get(number))
            earlier.setdefault(number, values["id"])
            known[_source(new)] = values["id"], content
            self.outcomes.append(Outcome(index, "created", values["id"]))
        await self._refuse(session, other, known)

    def _add(self, new: NewInvoice, supplier: Any, duplicate_of: UUID | None) -> dict[str, Any]:
        found = Found(supplier["supplier_id"], supplier["payment_terms_days"], duplicate_of)
        reasons = reasons_at_receipt(supplier["status"], supplier["open_changes"], duplicate_of)
        values = values_of(new, found, reasons, by=self._by, at=self._at)
        self._stored.append(values)
        self._events += events_of(new, values, by=self._by, at=self._at)
        self._changes += changes_at_receipt(values)
        return values

    async def _refuse(
        self,
        session: AsyncSession,
        other: Sequence[tuple[int, NewInvoice, UUID]],
        known: dict[SourceKey, tuple[UUID, bytes]],
    ) -> None:
        """Those whose source names an invoice with other content; of stored ones it is said in which fields."""
        rows = await rows_by_source(session, Invoice, {_source(new) for _, new, _ in other})
        for index, new, supplier_id in other:
            row = rows.get(_source(new))
            lines = rules.stored_lines(new.lines)
            fields = different_fields(row, new, supplier_id, lines) if row is not None else []
            refusal = SourceReferenceTaken("invoice", record_id=known[_source(new)][0], fields=fields)
            self.outcomes.append(refused(index, refusal))

    async def store(self, session: AsyncSession) -> None:
        """Store what was decided, with its holds, history and events. Raises UniqueViolationError."""
        await bulk_store.add_invoices(session, self._stored, by=self._by, at=self._at)
        if self._events:
            await copy_rows(session, "outbox", OUTBOX_COLUMNS, stream_outbox_rows(self._events))
        await record_many(session, self._changes, by=self._by, at=self._at)


def _source(new: NewInvoice) -> SourceKey:
    return new.source_system, new.source_reference


def _number(new: NewInvoice, supplier_id: UUID) -> tuple[UUID, str, str]:
    return supplier_id, rules.normalised_number(new.number), new.kind.value
