"""Receiving one invoice: once per key, once per source reference, held where something is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.fields import SourceReference
from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.database.history import record_change
from council_common.errors import Unavailable
from council_common.events.contract import Event
from council_common.events.outbox import outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.runtime.clients import ServiceClients
from council_common.web.idempotency import replay_of
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.claims import KeyClaim, forget, store_answer, stored_replay
from invoice_service.invoices import receiving_store, rules, store
from invoice_service.invoices.rules import HoldReason, NewInvoice, Status
from invoice_service.invoices.schemas import InvoiceOut
from invoice_service.suppliers.rules import ENDED, SupplierClosed, UnknownSupplier, hold_reasons
from invoice_service.suppliers.usecases import ask_for_supplier

_RACES = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an invoice: its id, whether it is new, and the answer (an InvoiceOut as JSON)."""

    invoice_id: UUID
    is_new: bool
    version: int
    body: bytes


async def receive_invoice(
    session: AsyncSession,
    told: NewInvoice,
    *,
    by: Actor,
    at: datetime,
    clients: ServiceClients,
    claim: KeyClaim | None = None,
) -> Receipt:
    """Store an invoice and tell it; the same again finds what is there.

    Raises InvoiceMalformed, UnknownSupplier, SupplierClosed, SourceReferenceTaken, Replay and KeyReused.
    """
    if problems := rules.problems_of(told, today=london_date(at)):
        raise rules.InvoiceMalformed(problems)
    for _ in range(_RACES):
        found = await _look_up(session, told, clients, claim)
        if claim is not None and found.request_hash is not None:
            answer = {name: getattr(found, f"answer_{name}") for name in ("status", "headers", "body")}
            raise replay_of({"request_hash": found.request_hash, **answer}, claim.request_hash)
        if found.status in ENDED:
            raise SupplierClosed("This supplier was merged into another or closed; name the one that took its place.")
        if found.existing_id is not None:
            return await _existing(session, told, found, claim)
        receipt = await _store(session, told, found, by=by, at=at, claim=claim)
        if receipt is not None:
            return receipt
    raise Unavailable("Others are storing this invoice at the moment; please try again.")


async def _look_up(session: AsyncSession, told: NewInvoice, clients: ServiceClients, claim: KeyClaim | None) -> Any:
    for asked in (False, True):
        found = await receiving_store.look_up(
            session,
            supplier_id=told.supplier_id,
            supplier_source=(told.supplier_system, told.supplier_reference),
            source=(told.source_system, told.source_reference),
            number_key=rules.normalised_number(told.number),
            kind=told.kind,
            claim=claim,
        )
        # Nothing is locked yet where the supplier was not found: now is the time to ask another service.
        if found is not None or asked or not await ask_for_supplier(
            session,
            clients,
            supplier_id=told.supplier_id,
            system=told.supplier_system,
            reference=told.supplier_reference,
        ):  # fmt: skip
            break
    if found is None:
        raise UnknownSupplier("Nobody knows this supplier; register it first.")
    return found


async def _existing(session: AsyncSession, told: NewInvoice, found: Any, claim: KeyClaim | None) -> Receipt:
    if found.content_hash != _content_hash(told, found.supplier_id, rules.stored_lines(told.lines)):
        raise rules.SourceReferenceTaken(
            "This source reference names an invoice with other content.", invoice_id=str(found.existing_id)
        )
    invoice = await store.get_invoice(session, found.existing_id)
    body = InvoiceOut.of(invoice).model_dump_json().encode()
    await store_answer(session, claim, status=200, body=body)
    return Receipt(invoice.id, is_new=False, version=invoice.version, body=body)


async def _store(
    session: AsyncSession, told: NewInvoice, found: Any, *, by: Actor, at: datetime, claim: KeyClaim | None
) -> Receipt | None:
    """Store it; None when somebody else took its source reference or its number a moment ago."""
    reasons = hold_reasons(found.status, found.open_changes)
    if found.duplicate_of is not None:
        reasons = [HoldReason.DUPLICATE_SUSPECTED.value, *reasons]
    values = _values(told, found, reasons, by=by, at=at)
    events = outbox_rows(_events(told, values, by=by, at=at))
    shown = {**values, **_UNTOUCHED, "lines": json.loads(values["lines"])}
    body = InvoiceOut.of_values(shown).model_dump_json().encode()
    if claim is not None:
        claim.headers = json.dumps({"etag": f'"{values["version"]}"', "location": f"/v1/invoices/{values['id']}"})
    claimed, stored = await receiving_store.store(session, values, claim=claim, answer=body, events=events)
    if claim is not None and not claimed:
        raise await stored_replay(session, claim)
    if not stored:
        await forget(session, claim)
        return None
    if reasons:
        await receiving_store.place_holds(session, values["id"], reasons, by=by.subject, at=at)
        await record_change(
            session,
            entity="invoice",
            entity_id=values["id"],
            version=2,
            action="held",
            by=by,
            at=at,
            detail={"reasons": reasons},
        )
    return Receipt(values["id"], is_new=True, version=values["version"], body=body)


# What a new invoice has not yet, as its answer shows it.
_UNTOUCHED = {
    **{"paid_pence": 0, "deducted_pence": 0, "historic": False, "approved_at": None, "paid_on": None},
    **{"import_id": None, "line_number": None},
}


def _values(told: NewInvoice, found: Any, reasons: list[str], *, by: Actor, at: datetime) -> dict[str, Any]:
    lines = rules.stored_lines(told.lines)
    return {
        "id": new_id(),
        "version": 2 if reasons else 1,
        "kind": told.kind.value,
        "supplier_id": found.supplier_id,
        "source_system": told.source_system,
        "source_reference": told.source_reference,
        "content_hash": _content_hash(told, found.supplier_id, lines),
        "number": told.number,
        "number_key": rules.normalised_number(told.number),
        "purchase_order_number": told.purchase_order_number,
        "issued_on": told.issued_on,
        "received_on": told.received_on,
        "due_on": told.due_on or rules.due_date(told.received_on, found.payment_terms_days),
        "lines": lines,
        "net_pence": told.net_pence,
        "vat_pence": told.vat_pence,
        "gross_pence": told.gross_pence,
        "status": (Status.HELD if reasons else Status.RECEIVED).value,
        "status_before_hold": Status.RECEIVED.value if reasons else None,
        "hold_reasons": reasons,
        "duplicate_of": found.duplicate_of,
        "received_by": by.subject,
        "received_by_name": by.name,
        "received_at": at,
    }


def _content_hash(told: NewInvoice, supplier_id: UUID, lines: str) -> bytes:
    content = rules.content_text(
        kind=told.kind.value,
        number=told.number,
        purchase_order_number=told.purchase_order_number,
        dates=(told.issued_on, told.received_on, told.due_on),
        amounts=(told.net_pence, told.vat_pence, told.gross_pence),
        lines=lines,
    )
    return rules.content_hash(supplier_id, content)


def _events(told: NewInvoice, values: dict[str, Any], *, by: Actor, at: datetime) -> list[Event]:
    about = {
        "invoice_id": values["id"],
        "supplier_id": values["supplier_id"],
        "occurred_at": at,
        "by": by.subject,
    }
    events: list[Event] = [
        InvoiceReceivedV1(
            **about,
            version=1,
            kind=told.kind.value,
            source=SourceReference(system=told.source_system, reference=told.source_reference),
            number=told.number,
            issued_on=told.issued_on,
            received_on=told.received_on,
            due_on=values["due_on"],
            net_pence=told.net_pence,
            vat_pence=told.vat_pence,
            gross_pence=told.gross_pence,
            vat_shares=rules.vat_shares(told.lines),
            status=values["status"],
        )
    ]
    if values["duplicate_of"] is not None:
        events.append(DuplicateSuspectedV1(**about, version=2, other_invoice_id=values["duplicate_of"], rule="D1"))
    if values["hold_reasons"]:
        events.append(InvoiceHeldV1(**about, version=2, hold_reasons=values["hold_reasons"]))
    return events
