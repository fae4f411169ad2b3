"""What becomes of each line of a batch: a new invoice, one that is there already, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.sessions import driver
from council_common.imports import Problem, Refusal
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports import lines_store
from invoice_service.intake.invoice_imports.assembling import ImportContext, NewInvoice
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.suppliers_of_lines import LineSupplier
from invoice_service.register.invoices.rules import content_hash
from invoice_service.register.suppliers import store as suppliers
from invoice_service.register.suppliers.rules import ENDED, hold_reasons

_UNKNOWN = Problem("supplier_reference", "supplier-not-found", "is no known supplier", "a supplier that is registered")
_NOT_ASKED = Problem(
    "supplier_reference",
    "supplier-not-looked-up",
    "too many of the file's suppliers are unknown: this one was not looked up",
    "the file's suppliers registered first; then send the refused lines again",
)
_CLOSED = Problem(
    "supplier_reference", "supplier-closed", "the supplier was merged or closed", "the supplier that took its place"
)
_TAKEN = Problem(
    "reference",
    "source-reference-taken",
    "names an invoice with other content",
    "a reference of its own, or the content as it was sent before",
)
_UNPAID = Problem(
    "paid_on",
    "invoice-known-unpaid",
    "the invoice is known, and not as paid",
    "its payment recorded (POST /v1/payments), or the line as it was sent before",
)
_PAID = Problem(
    "paid_on",
    "invoice-known-paid",
    "the invoice is known as one that was paid",
    "the day it was paid on, as it was sent before",
)

WriteRefusal = Callable[[int, tuple[Problem, ...], list[str]], Refusal]


@dataclass(slots=True)
class LineOutcomes:
    """A batch's lines by what becomes of them; `net_pence` sums the new and the existing ones."""

    new: list[NewInvoice] = field(default_factory=list)
    existing: int = 0
    net_pence: int = 0
    refused: list[Refusal] = field(default_factory=list)
    refused_pence: int = 0


class _KnownInvoice(NamedTuple):
    """An invoice that a line's reference names already."""

    content: bytes
    paid_on: date | None
    historic: bool

    def differs_from(self, content: bytes, paid_on: date | None) -> Problem | None:
        """Why a line is not this invoice sent again; None where it is.

        An open invoice that was paid since may well be sent once more as it was.
        """
        if self.content != content:
            return _TAKEN
        if paid_on == self.paid_on or (paid_on is None and not self.historic):
            return None
        return _UNPAID if self.paid_on is None else _PAID


async def line_outcomes(
    session: AsyncSession,
    drafts: Sequence[Draft],
    known: dict[str, LineSupplier | None],
    *,
    context: ImportContext,
    write_refusal: WriteRefusal,
) -> LineOutcomes:
    """Decide over the drafts of a batch; `known` are their suppliers (SuppliersOfLines.find)."""
    outcomes = LineOutcomes()

    def refuse(draft: Draft, problem: Problem) -> None:
        outcomes.refused.append(write_refusal(draft.line_number, (problem,), draft.cells))
        outcomes.refused_pence += draft.net_pence

    of_suppliers: list[tuple[Draft, LineSupplier]] = []
    for draft in drafts:
        supplier = known.get(draft.supplier_reference)
        if supplier is not None:
            of_suppliers.append((draft, supplier))
        else:
            refuse(draft, _UNKNOWN if draft.supplier_reference in known else _NOT_ASKED)
    if not of_suppliers:
        return outcomes
    references, there = await _references(session, [draft for draft, _ in of_suppliers], context)
    holds = await _holds(session, of_suppliers)
    before = {
        reference: _KnownInvoice(bytes(row["content_hash"]), row["paid_on"], row["historic"])
        for reference, row in there.items()
    }
    for (draft, supplier), reference in zip(of_suppliers, references, strict=True):
        content = _content_of(draft, supplier)
        stored = before.get(reference)
        problem = stored.differs_from(content, draft.paid_on) if stored is not None else None
        if stored is None and supplier.status in ENDED and draft.paid_on is None:
            problem = _CLOSED
        if problem is not None:
            refuse(draft, problem)
            continue
        outcomes.net_pence += draft.net_pence
        if stored is not None:
            outcomes.existing += 1
            continue
        before[reference] = _KnownInvoice(content, draft.paid_on, draft.paid_on is not None)
        reasons = holds.get(supplier.supplier_id, ()) if draft.paid_on is None else ()
        outcomes.new.append(
            NewInvoice(
                draft=draft,
                reference=reference,
                supplier_id=supplier.supplier_id,
                supplier_text=supplier.text,
                terms_days=supplier.terms_days,
                content_hash=content,
                reasons=reasons,
            )
        )
    return outcomes


async def _references(
    session: AsyncSession, drafts: Sequence[Draft], context: ImportContext
) -> tuple[list[str], dict[str, Any]]:
    """The source reference of each line, and which of them are there already."""
    connection = await driver(session)
    if drafts[0].line_key is not None:
        return await lines_store.number_repeats(connection, context.import_id, context.source_system, drafts)
    references = [draft.reference for draft in drafts]
    return references, await lines_store.existing(connection, context.source_system, references)


async def _holds(
    session: AsyncSession, of_suppliers: Sequence[tuple[Draft, LineSupplier]]
) -> dict[UUID, tuple[str, ...]]:
    """Why suppliers of unpaid invoices may not be paid; they stay so until we commit."""
    ids = {supplier.supplier_id for draft, supplier in of_suppliers if draft.paid_on is None}
    if not ids:
        return {}
    rows = await suppliers.share(session, list(ids))
    return {
        supplier_id: tuple(reasons)
        for supplier_id, row in rows.items()
        if (reasons := hold_reasons(row["status"], row["open_changes"]))
    }


def _content_of(draft: Draft, supplier: LineSupplier) -> bytes:
    if draft.line_key is not None:
        return bytes.fromhex(draft.line_key)
    return content_hash(supplier.text, draft.content)


async def duplicates_of(session: AsyncSession, new: Sequence[NewInvoice], ids: Sequence[UUID]) -> dict[int, UUID]:
    """Rule D1 for the unpaid ones, by their place: the same supplier and number, stored before or earlier here."""
    if not new or new[0].draft.line_key is not None:
        return {}
    known = await lines_store.first_with_number(
        await driver(session),
        [invoice.supplier_text for invoice in new],
        [invoice.draft.number_key for invoice in new],
        [invoice.draft.kind for invoice in new],
    )
    first: dict[str, UUID] = {}
    duplicates = {}
    for place, invoice in enumerate(new):
        identity = f"{invoice.supplier_text}{invoice.draft.kind}{invoice.draft.number_key}"
        mine = ids[place]
        other = known.get(place) or first.setdefault(identity, mine)
        if other is not mine and invoice.draft.paid_on is None:
            duplicates[place] = other
    return duplicates
