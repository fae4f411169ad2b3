"""Drafts to the rows that are stored and the events that are published: one pass, plain values, no models.

What is written here as text is what the contracts' models would write; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from council_common.contracts.invoices import (
    DuplicateSuspectedV1,
    InvoiceAmountsDisagreeV1,
    InvoiceHeldV1,
    InvoiceReceivedV1,
)
from council_common.events.contract import Event
from council_common.events.envelope import source_of, timestamp
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Change

from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.register.invoices.rules import HoldReason, InvoiceStatus, due_date

# An invoice's row has three parts, each filled by name: what its draft says, what all of a file have in common, and
# what was found out about it.
_OF_DRAFT = (
    *("kind", "number", "number_key", "purchase_order_number", "issued_on", "received_on", "lines"),
    *("net_pence", "vat_pence", "gross_pence", "paid_on", "line_number", "amounts_disagree", "vat_derived"),
    *("invoice_number", "invoice_number_key"),
)
_of_draft = attrgetter(*_OF_DRAFT)


class _OfFile(NamedTuple):
    source_system: str
    received_by: str
    received_by_name: str
    received_at: datetime
    import_id: UUID


class _Own(NamedTuple):
    id: UUID
    version: int
    supplier_id: UUID
    source_reference: str
    content_hash: bytes
    row_hash: bytes | None
    due_on: date
    paid_pence: int
    status: str
    historic: bool


class _Noted(NamedTuple):
    """Behind the others for the few that are held, or repeat another: an array is what takes the driver longest."""

    status_before_hold: str | None
    hold_reasons: list[str]
    duplicate_of: UUID | None


class HoldRow(NamedTuple):
    """A hold that an invoice is born with, as COPY takes it."""

    id: UUID
    invoice_id: UUID
    reason: str
    placed_by: str
    placed_by_name: str
    placed_at: datetime


_PAID, _RECEIVED, _HELD = (status.value for status in (InvoiceStatus.PAID, InvoiceStatus.RECEIVED, InvoiceStatus.HELD))
INVOICE_COLUMNS = (*_OF_DRAFT, *_OfFile._fields, *_Own._fields)
HELD_COLUMNS = (*INVOICE_COLUMNS, *_Noted._fields)


@dataclass(frozen=True, slots=True)
class ImportContext:
    """Who sent a file, and when it was sent: the same for each of its invoices."""

    by: Actor
    at: datetime
    source_system: str
    import_id: UUID
    traceparent: str | None


class NewInvoice(NamedTuple):
    """A draft that will be stored, with what was found out about it; `duplicate_of` is the one it repeats (D1)."""

    id: UUID
    draft: Draft
    reference: str
    supplier_id: UUID
    supplier_text: str
    terms_days: int
    content_hash: bytes
    row_hash: bytes | None = None
    reasons: tuple[str, ...] = ()
    duplicate_of: UUID | None = None


@dataclass(slots=True)
class AssembledRows:
    """What is copied: invoices, those held from the start, their holds and history, and InvoiceReceived events."""

    invoices: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    holds: list[HoldRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    outbox: list[tuple[Any, ...]] = field(default_factory=list)


def assemble(new: Sequence[NewInvoice], context: ImportContext, *, milliseconds: int) -> AssembledRows:
    """Rows of new invoices."""
    rows = AssembledRows()
    event_ids = ordered_ids(len(new), milliseconds=milliseconds)
    envelope = _Envelope(context)
    topic, type_ = InvoiceReceivedV1.topic, InvoiceReceivedV1.type
    of_file = _OfFile(
        source_system=context.source_system,
        received_by=context.by.subject,
        received_by_name=context.by.name,
        received_at=context.at,
        import_id=context.import_id,
    )
    add_invoice, add_event = rows.invoices.append, rows.outbox.append
    for invoice, event_id in zip(new, event_ids, strict=True):
        draft, invoice_id, duplicate_of = invoice.draft, invoice.id, invoice.duplicate_of
        historic = draft.paid_on is not None
        before = _PAID if historic else _RECEIVED
        noted = _noted(before, invoice)
        due_on = draft.due_on or due_date(draft.received_on, invoice.terms_days)
        status = _HELD if noted is not None and noted.hold_reasons else before
        own = _Own(
            id=invoice_id,
            # Its receipt, amounts that disagree, a suspicion and a hold are a version each.
            version=1 + draft.amounts_disagree + (duplicate_of is not None) + (status == _HELD),
            supplier_id=invoice.supplier_id,
            source_reference=invoice.reference,
            content_hash=invoice.content_hash,
            row_hash=invoice.row_hash,
            due_on=due_on,
            paid_pence=draft.gross_pence if historic else 0,
            status=status,
            historic=historic,
        )
        row = (*_of_draft(draft), *of_file, *own)
        payload = envelope.received(invoice, str(invoice_id), str(event_id), due_on, status)
        add_event((event_id, topic, invoice_id, type_, payload.encode()))
        if noted is None:
            add_invoice(row)
        else:
            rows.held.append((*row, *noted))
        if noted is not None or draft.amounts_disagree:
            _add_facts(rows, context, invoice, noted.hold_reasons if noted else [])
    return rows


def _noted(before: str, invoice: NewInvoice) -> _Noted | None:
    """What is noted of an invoice from the start. Of what was paid nothing is held."""
    reasons: list[str] = []
    if before != _PAID:
        reasons += [HoldReason.DUPLICATE_SUSPECTED.value] if invoice.duplicate_of is not None else []
        reasons += [HoldReason.AMOUNTS_DISAGREE.value] if invoice.draft.amounts_disagree else []
        reasons += invoice.reasons
    if not reasons and invoice.duplicate_of is None:
        return None
    return _Noted(before if reasons else None, reasons, invoice.duplicate_of)


def _add_facts(rows: AssembledRows, context: ImportContext, invoice: NewInvoice, reasons: list[str]) -> None:
    """The holds an invoice is born with, and the facts that follow its receipt, each a version of its own."""
    draft, about = invoice.draft, {"supplier_id": invoice.supplier_id}
    facts: list[tuple[str, type[Event], dict[str, Any], dict[str, Any]]] = []
    if draft.amounts_disagree:
        amounts = {"net_pence": draft.net_pence, "vat_pence": draft.vat_pence, "gross_pence": draft.gross_pence}
        facts.append(("amounts disagree", InvoiceAmountsDisagreeV1, amounts, about | amounts))
    if invoice.duplicate_of is not None:
        other = {"other_invoice_id": str(invoice.duplicate_of), "rule": "D1"}
        facts.append(("duplicate suspected", DuplicateSuspectedV1, other, about | other))
    if reasons:
        facts.append(("held", InvoiceHeldV1, {"reasons": reasons}, about | {"hold_reasons": reasons}))
        rows.holds += [
            HoldRow(
                id=new_id(),
                invoice_id=invoice.id,
                reason=reason,
                placed_by=context.by.subject,
                placed_by_name=context.by.name,
                placed_at=context.at,
            )
            for reason in reasons
        ]
    rows.changes += [
        Change("invoice", invoice.id, version, action, event, detail=detail, fields=fields)
        for version, (action, event, detail, fields) in enumerate(facts, start=2)
    ]


class _Envelope:
    """InvoiceReceivedV1 in its CloudEvents envelope, as text; what all of a file have in common is written once."""

    def __init__(self, context: ImportContext) -> None:
        moment = timestamp(context.at)
        trace = f'"traceparent":"{context.traceparent}",' if context.traceparent else ""
        event_type = InvoiceReceivedV1
        self._head = '{"specversion":"1.0","id":"'
        self._source = f'","source":"{source_of(event_type)}","type":"{event_type.type}","subject":"'
        self._time = f'","time":"{moment}","datacontenttype":"application/json","partitionkey":"'
        self._data = (
            f'",{trace}"data":{{"version":1,"occurred_at":"{moment}","by":{encode_basestring(context.by.subject)},'
            '"invoice_id":"'
        )
        self._system = f'","source":{{"system":{encode_basestring(context.source_system)},"reference":'
        self._days = _Days()

    def received(self, invoice: NewInvoice, invoice_id: str, event_id: str, due_on: date, status: str) -> str:
        """One event; dates and amounts as the model writes them."""
        draft = invoice.draft
        days = self._days
        paid_on = f'"{days[draft.paid_on]}"' if draft.paid_on else "null"
        department = "null" if draft.department is None else encode_basestring(draft.department)
        return (
            f"{self._head}{event_id}{self._source}{invoice_id}{self._time}{invoice_id}{self._data}{invoice_id}"
            f'","supplier_id":"{invoice.supplier_text}{self._system}{encode_basestring(invoice.reference)}}},'
            f'"number":{encode_basestring(draft.number)},"issued_on":"{days[draft.issued_on]}",'
            f'"received_on":"{days[draft.received_on]}","due_on":"{days[due_on]}","net_pence":{draft.net_pence},'
            f'"vat_pence":{draft.vat_pence},"gross_pence":{draft.gross_pence},"vat_shares":{draft.vat_shares},'
            f'"status":"{status}","historic":{"true" if draft.paid_on else "false"},"kind":"{draft.kind}",'
            f'"paid_on":{paid_on},"department":{department}}}}}'
        )


class _Days(dict[date, str]):
    """Days as text; a file has few, so that each is written once."""

    def __missing__(self, day: date) -> str:
        text = self[day] = day.isoformat()
        return text
