"""Drafts to the rows that are stored and the events that are told: one pass, plain values, no models.

What is written here as text is what the contracts' models would write; a test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from uuid import UUID

from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.events.outbox import outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id

from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.register.invoices.rules import HoldReason, due_date

COLUMNS = (
    *("id", "version", "kind", "supplier_id", "source_system", "source_reference", "content_hash", "number"),
    *("number_key", "purchase_order_number", "issued_on", "received_on", "due_on", "lines", "net_pence"),
    *("vat_pence", "gross_pence", "paid_pence", "status", "historic", "received_by", "received_by_name"),
    *("received_at", "paid_on", "import_id", "line_number"),
)
# Behind the others for the few that are held: an array is what the driver takes longest to write.
HELD_COLUMNS = ("status_before_hold", "hold_reasons", "duplicate_of")
HOLD_COLUMNS = ("id", "invoice_id", "reason", "placed_by", "placed_at")
CHANGE_COLUMNS = ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action", "detail")


@dataclass(frozen=True, slots=True)
class Told:
    """Who sent a file, and when it was sent: the same for each of its invoices."""

    by: Actor
    at: datetime
    source_system: str
    import_id: UUID
    traceparent: str | None


class NewInvoice(NamedTuple):
    """A draft that will be stored, with what was found out about it."""

    draft: Draft
    reference: str
    supplier_id: UUID
    supplier_text: str
    terms_days: int
    content_hash: bytes
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Rows:
    """What COPY takes: invoices, those held from the start with more columns, holds, history and outbox rows."""

    invoices: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    holds: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    outbox: list[tuple[Any, ...]] = field(default_factory=list)


def assemble(
    new: Sequence[NewInvoice], told: Told, *, ids: Sequence[UUID], duplicates: dict[int, UUID], milliseconds: int
) -> Rows:
    """Rows of new invoices. `duplicates` says by place in `new` which earlier invoice one repeats (D1)."""
    rows = Rows()
    event_ids = ordered_ids(len(new), milliseconds=milliseconds)
    envelope = _Envelope(told)
    add_invoice, add_event = rows.invoices.append, rows.outbox.append
    by, by_name, at, import_id = told.by.subject, told.by.name, told.at, told.import_id
    topic, type_ = InvoiceReceivedV1.topic, InvoiceReceivedV1.type
    for place, (each, invoice_id, event_id) in enumerate(zip(new, ids, event_ids, strict=True)):
        draft = each.draft
        due_on = draft.due_on or due_date(draft.received_on, each.terms_days)
        duplicate_of = duplicates.get(place)
        reasons = [*each.reasons]
        if duplicate_of is not None:
            reasons.insert(0, HoldReason.DUPLICATE_SUSPECTED.value)
        historic = draft.paid_on is not None
        before = "paid" if historic else "received"
        status = "held" if reasons else before
        row = (
            invoice_id,
            2 if reasons else 1,
            draft.kind,
            each.supplier_id,
            told.source_system,
            each.reference,
            each.content_hash,
            draft.number,
            draft.number_key,
            draft.purchase_order_number,
            draft.issued_on,
            draft.received_on,
            due_on,
            draft.lines,
            draft.net_pence,
            draft.vat_pence,
            draft.gross_pence,
            draft.gross_pence if historic else 0,
            status,
            historic,
            by,
            by_name,
            at,
            draft.paid_on,
            import_id,
            draft.line_number,
        )
        if reasons:
            rows.held.append((*row, before, reasons, duplicate_of))
        else:
            add_invoice(row)
        payload = envelope.received(each, str(invoice_id), str(event_id), due_on, status)
        add_event((event_id, topic, invoice_id, type_, payload.encode()))
        if reasons:
            about = {"invoice_id": invoice_id, "supplier_id": each.supplier_id}
            _hold(rows, told, about, reasons=reasons, duplicate_of=duplicate_of)
    return rows


def _hold(rows: Rows, told: Told, about: dict[str, UUID], *, reasons: list[str], duplicate_of: UUID | None) -> None:
    """The holds an invoice is born with, their line in its history, and their events."""
    rows.holds += [(new_id(), about["invoice_id"], reason, told.by.subject, told.at) for reason in reasons]
    rows.changes.append(
        (
            new_id(),
            "invoice",
            about["invoice_id"],
            2,
            told.at,
            told.by.subject,
            told.by.name,
            "held",
            json.dumps({"reasons": reasons}),
        )
    )
    fact: dict[str, Any] = {**about, "version": 2, "occurred_at": told.at, "by": told.by.subject}
    if duplicate_of is not None:
        rows.outbox += outbox_rows([DuplicateSuspectedV1(**fact, other_invoice_id=duplicate_of, rule="D1")])
    rows.outbox += outbox_rows([InvoiceHeldV1(**fact, hold_reasons=reasons)])


class _Envelope:
    """InvoiceReceivedV1 in its CloudEvents envelope, as text; what all of a file have in common is written once."""

    def __init__(self, told: Told) -> None:
        moment = told.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        trace = f'"traceparent":"{told.traceparent}",' if told.traceparent else ""
        self._head = '{"specversion":"1.0","id":"'
        self._source = (
            f'","source":"urn:council:{InvoiceReceivedV1.producer}","type":"{InvoiceReceivedV1.type}","subject":"'
        )
        self._time = f'","time":"{moment}","datacontenttype":"application/json","partitionkey":"'
        self._data = (
            f'",{trace}"data":{{"version":1,"occurred_at":"{moment}","by":{encode_basestring(told.by.subject)},'
            '"invoice_id":"'
        )
        self._system = f'","source":{{"system":{encode_basestring(told.source_system)},"reference":'
        self._days = _Days()

    def received(self, each: NewInvoice, invoice_id: str, event_id: str, due_on: date, status: str) -> str:
        """One event; dates and amounts as the model writes them."""
        draft = each.draft
        days = self._days
        paid_on = f'"{days[draft.paid_on]}"' if draft.paid_on else "null"
        return (
            f"{self._head}{event_id}{self._source}{invoice_id}{self._time}{invoice_id}{self._data}{invoice_id}"
            f'","supplier_id":"{each.supplier_text}{self._system}{encode_basestring(each.reference)}}},'
            f'"number":{encode_basestring(draft.number)},"issued_on":"{days[draft.issued_on]}",'
            f'"received_on":"{days[draft.received_on]}","due_on":"{days[due_on]}","net_pence":{draft.net_pence},'
            f'"vat_pence":{draft.vat_pence},"gross_pence":{draft.gross_pence},"vat_shares":{draft.vat_shares},'
            f'"status":"{status}","historic":{"true" if draft.paid_on else "false"},"kind":"{draft.kind}",'
            f'"paid_on":{paid_on}}}}}'
        )


class _Days(dict[date, str]):
    """Days as text; a file has few, so that each is written once."""

    def __missing__(self, day: date) -> str:
        text = self[day] = day.isoformat()
        return text
