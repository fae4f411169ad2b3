"""Receiving one invoice: once per key, once per source reference, held where something is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from council_common.clock import london_date
from council_common.contracts.fields import SourceReference
from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.database.rows import get_row
from council_common.database.sessions import Sessions
from council_common.errors import FieldError, SourceReferenceTaken, Unavailable
from council_common.events.contract import Event
from council_common.events.outbox import outbox_rows
from council_common.identity.actor import Actor
from council_common.ids import new_id
from council_common.recording import Change, record_many
from council_common.runtime.clients import ServiceClients
from council_common.web.idempotency import KeyClaim, give_back, replay_of, store_answer, stored_replay
from council_common.web.preconditions import etag
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from invoice_service.register.invoices import receiving_store, rules
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.rules import HoldReason, InvoiceStatus, NewInvoice
from invoice_service.register.invoices.schemas import InvoiceOut
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.suppliers.rules import ENDED, SupplierClosed, UnknownSupplier, hold_reasons
from invoice_service.register.suppliers.usecases import ask_for_supplier

_RACES = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an invoice: its id, whether it is new, and the answer (an InvoiceOut as JSON)."""

    invoice_id: UUID
    is_new: bool
    version: int
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer, and of every replay of it."""
        return _headers(self.invoice_id, self.version)


class SupplierNotHere(UnknownSupplier):
    """We do not know the supplier named; supplier-service may."""


class Seen(NamedTuple):
    """A supplier as it was: all that a new invoice without a flaw needs of it."""

    supplier_id: UUID
    payment_terms_days: int
    duplicate_of: None = None


class SeenSuppliers:
    """Suppliers as their last invoice found them, by the name a caller gave: id and payment terms (days).

    A guess, never a fact: the statement that uses it checks it.
    """

    MOST = 100_000

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], Seen] = {}

    def find(self, new: NewInvoice) -> Seen | None:
        """What the supplier of an invoice was when last seen."""
        return self._seen.get(_supplier_named(new))

    def keep(self, new: NewInvoice, found: Any) -> None:
        """Remember what the supplier of an invoice is."""
        if len(self._seen) >= self.MOST:
            self._seen.clear()
        self._seen[_supplier_named(new)] = Seen(found.supplier_id, found.payment_terms_days)


async def receive_at_once(
    engine: AsyncEngine, new: NewInvoice, seen: SeenSuppliers, *, by: Actor, at: datetime, claim: KeyClaim | None
) -> Receipt | None:
    """Store an invoice without a flaw in one statement; None where it takes a closer look."""
    found = seen.find(new)
    if found is None or rules.problems_of(new, today=london_date(at)):
        return None
    values = values_of(new, found, [], by=by, at=at)
    body = _body(values)
    stored = await receiving_store.store_at_once(
        engine,
        values,
        terms_days=found.payment_terms_days,
        supplier_source=(new.supplier_system, new.supplier_reference),
        claim=claim,
        headers=json.dumps(_headers(values["id"], values["version"])),
        answer=body,
        events=outbox_rows(events_of(new, values, by=by, at=at)),
    )
    return Receipt(values["id"], is_new=True, version=values["version"], body=body) if stored else None


async def receive_with_care(
    sessions: Sessions,
    new: NewInvoice,
    *,
    by: Actor,
    at: datetime,
    clients: ServiceClients,
    seen: SeenSuppliers,
    claim: KeyClaim | None,
) -> Receipt:
    """Receive an invoice, flawed or not, asking supplier-service for a supplier not known here.

    That is asked between two transactions: no connection is held while another service answers.
    Raises what `receive_invoice` raises, and Unavailable.
    """
    for asked in (False, True):
        try:
            async with sessions.begin() as session:
                return await receive_invoice(session, new, by=by, at=at, seen=seen, claim=claim)
        except SupplierNotHere:
            if asked or not await ask_for_supplier(
                sessions,
                clients,
                supplier_id=new.supplier_id,
                system=new.supplier_system,
                reference=new.supplier_reference,
            ):
                raise
    raise AssertionError("the second attempt answers or raises")


async def receive_invoice(
    session: AsyncSession,
    new: NewInvoice,
    *,
    by: Actor,
    at: datetime,
    seen: SeenSuppliers,
    claim: KeyClaim | None = None,
) -> Receipt:
    """Store an invoice and publish it; the same again finds what is there.

    Raises InvoiceMalformed, SupplierNotHere, SupplierClosed, SourceReferenceTaken, Replay and KeyReused.
    """
    if problems := rules.problems_of(new, today=london_date(at)):
        raise rules.InvoiceMalformed(problems)
    for _ in range(_RACES):
        found = await _look_up(session, new, claim)
        seen.keep(new, found)
        if claim is not None and found.request_hash is not None:
            answer = {name: getattr(found, f"answer_{name}") for name in ("status", "headers", "body")}
            raise replay_of({"request_hash": found.request_hash, **answer}, claim.request_hash)
        if found.existing_id is not None:
            return await _existing(session, new, found, claim)
        if found.status in ENDED:
            raise supplier_closed(new)
        receipt = await _store(session, new, found, by=by, at=at, claim=claim)
        if receipt is not None:
            return receipt
    raise Unavailable("Other requests are storing this invoice at the moment; please try again.")


async def _look_up(session: AsyncSession, new: NewInvoice, claim: KeyClaim | None) -> Any:
    found = await receiving_store.look_up(
        session,
        supplier_id=new.supplier_id,
        supplier_source=(new.supplier_system, new.supplier_reference),
        source=(new.source_system, new.source_reference),
        number_key=rules.normalised_number(new.number),
        kind=new.kind,
        claim=claim,
    )
    if found is None:
        raise supplier_not_here(new)
    return found


def supplier_not_here(new: NewInvoice) -> SupplierNotHere:
    """The refusal of an invoice whose supplier is not known here."""
    field = _supplier_field(new)
    return SupplierNotHere(
        "No supplier is registered under this id or source.",
        errors=[FieldError(field, "is not that of a registered supplier", "one that is; register it first")],
    )


def supplier_closed(new: NewInvoice) -> SupplierClosed:
    """The refusal of an invoice whose supplier has ended."""
    return SupplierClosed(
        "This supplier was merged into another or closed.",
        errors=[FieldError(_supplier_field(new), "is a supplier that has ended", "the one that took its place")],
    )


def _supplier_field(new: NewInvoice) -> str:
    return "supplier_id" if new.supplier_id is not None else "supplier"


async def _existing(session: AsyncSession, new: NewInvoice, found: Any, claim: KeyClaim | None) -> Receipt:
    invoice = await get_row(session, Invoice, found.existing_id)
    lines = rules.stored_lines(new.lines)
    if found.content_hash != content_hash_of(new, found.supplier_id, lines):
        raise SourceReferenceTaken(
            "invoice", record_id=invoice.id, fields=different_fields(invoice, new, found.supplier_id, lines)
        )
    body = InvoiceOut.of(invoice).model_dump_json().encode()
    receipt = Receipt(invoice.id, is_new=False, version=invoice.version, body=body)
    await store_answer(session, claim, status=200, headers=receipt.headers, body=body)
    return receipt


def different_fields(invoice: Invoice, new: NewInvoice, supplier_id: UUID, lines: str) -> list[str]:
    """The fields in which two requests differ; a due date that one of them left to the terms may be all."""
    names = ("kind", "number", "purchase_order_number", "issued_on", "received_on", "net_pence", "vat_pence")
    different = [name for name in (*names, "gross_pence") if getattr(invoice, name) != getattr(new, name)]
    different += ["supplier"] if invoice.supplier_id != supplier_id else []
    different += ["lines"] if invoice.lines != json.loads(lines) else []
    return different or ["due_on"]


async def _store(
    session: AsyncSession, new: NewInvoice, found: Any, *, by: Actor, at: datetime, claim: KeyClaim | None
) -> Receipt | None:
    """Store it; None when another request took its source reference or its number a moment ago."""
    reasons = reasons_at_receipt(found.status, found.open_changes, found.duplicate_of)
    values = values_of(new, found, reasons, by=by, at=at)
    events = outbox_rows(events_of(new, values, by=by, at=at))
    receipt = Receipt(values["id"], is_new=True, version=values["version"], body=_body(values))
    claimed, stored = await receiving_store.store(
        session, values, claim=claim, headers=json.dumps(receipt.headers), answer=receipt.body, events=events
    )
    if claim is not None and not claimed:
        raise await stored_replay(session, claim)
    if not stored:
        await give_back(session, claim)
        return None
    if reasons:
        await receiving_store.place_holds(session, values["id"], reasons, by=by, at=at)
        await record_many(session, changes_at_receipt(values), by=by, at=at)
    return receipt


def reasons_at_receipt(supplier_status: str, open_changes: Sequence[object], duplicate_of: UUID | None) -> list[str]:
    """Why an invoice is held from the start: it repeats a number (D1), or its supplier may not be paid."""
    reasons = hold_reasons(supplier_status, open_changes)
    return reasons if duplicate_of is None else [HoldReason.DUPLICATE_SUSPECTED.value, *reasons]


def changes_at_receipt(values: dict[str, Any]) -> list[Change]:
    """What happened to an invoice as it was received, beyond its receipt: each fact is a version of its own."""
    invoice_id, reasons, duplicate_of = values["id"], values["hold_reasons"], values["duplicate_of"]
    changes: list[Change] = []
    if duplicate_of is not None:
        detail = {"other_invoice_id": str(duplicate_of), "rule": "D1"}
        changes.append(Change("invoice", invoice_id, 2, "duplicate suspected", detail=detail))
    if reasons:
        changes.append(Change("invoice", invoice_id, values["version"], "held", detail={"reasons": reasons}))
    return changes


# What a new invoice has not yet, as its answer shows it.
_UNTOUCHED = {
    **{"paid_pence": 0, "deducted_pence": 0, "credited_pence": 0},
    **{"historic": False, "approved_by": None, "approved_by_name": None, "approved_at": None, "paid_on": None},
    **{"import_id": None, "line_number": None, "amounts_disagree": False, "vat_derived": False},
    "invoice_number": None,
}


def _headers(invoice_id: UUID, version: int) -> dict[str, str]:
    return {"etag": etag(version), "location": f"/v1/invoices/{invoice_id}"}


def _body(values: dict[str, Any]) -> bytes:
    """The answer to a new invoice."""
    shown = {**values, **_UNTOUCHED, "lines": json.loads(values["lines"])}
    return InvoiceOut.of_values(shown).model_dump_json().encode()


def _supplier_named(new: NewInvoice) -> tuple[object, ...]:
    return (new.supplier_id, new.supplier_system, new.supplier_reference)


def values_of(new: NewInvoice, found: Any, reasons: list[str], *, by: Actor, at: datetime) -> dict[str, Any]:
    lines = rules.stored_lines(new.lines)
    return {
        "id": new_id(),
        "version": 1 + bool(reasons) + (found.duplicate_of is not None),
        "kind": new.kind.value,
        "supplier_id": found.supplier_id,
        "source_system": new.source_system,
        "source_reference": new.source_reference,
        "content_hash": content_hash_of(new, found.supplier_id, lines),
        "number": new.number,
        "number_key": rules.normalised_number(new.number),
        "purchase_order_number": new.purchase_order_number,
        "issued_on": new.issued_on,
        "received_on": new.received_on,
        "due_on": new.due_on or rules.due_date(new.received_on, found.payment_terms_days),
        "lines": lines,
        "net_pence": new.net_pence,
        "vat_pence": new.vat_pence,
        "gross_pence": new.gross_pence,
        "status": (InvoiceStatus.HELD if reasons else InvoiceStatus.RECEIVED).value,
        "status_before_hold": InvoiceStatus.RECEIVED.value if reasons else None,
        "hold_reasons": reasons,
        "duplicate_of": found.duplicate_of,
        "received_by": by.subject,
        "received_by_name": by.name,
        "received_at": at,
    }


def content_hash_of(new: NewInvoice, supplier_id: UUID, lines: str) -> bytes:
    content = rules.content_text(
        kind=new.kind.value,
        number=new.number,
        purchase_order_number=new.purchase_order_number,
        dates=(new.issued_on, new.received_on, new.due_on),
        amounts=(new.net_pence, new.vat_pence, new.gross_pence),
        lines=lines,
    )
    return rules.content_hash(supplier_id, content)


def events_of(new: NewInvoice, values: dict[str, Any], *, by: Actor, at: datetime) -> list[Event]:
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
            kind=new.kind.value,
            source=SourceReference(system=new.source_system, reference=new.source_reference),
            number=new.number,
            issued_on=new.issued_on,
            received_on=new.received_on,
            due_on=values["due_on"],
            net_pence=new.net_pence,
            vat_pence=new.vat_pence,
            gross_pence=new.gross_pence,
            vat_shares=rules.vat_shares(new.lines),
            status=values["status"],
            department=department_of((line.department, line.net_pence) for line in new.lines),
        )
    ]
    if values["duplicate_of"] is not None:
        events.append(DuplicateSuspectedV1(**about, version=2, other_invoice_id=values["duplicate_of"], rule="D1"))
    if values["hold_reasons"]:
        events.append(InvoiceHeldV1(**about, version=values["version"], hold_reasons=values["hold_reasons"]))
    return events
