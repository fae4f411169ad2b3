"""What becomes of each line of a batch: a new invoice, one that is there already, or a refusal with its reason."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.sessions import driver
from council_common.imports import Problem, Refusal
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.intake.invoice_imports import lines_store
from invoice_service.intake.invoice_imports.assembling import ImportContext, NewInvoice
from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.intake.invoice_imports.rules import MOST_PAYMENTS_OF_ONE
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

WriteRefusals = Callable[[Draft, Problem], Sequence[Refusal]]
_SupplierLine = tuple[Draft, LineSupplier]


class _KnownInvoice(NamedTuple):
    """An invoice that a line's reference names already."""

    content: bytes
    row: bytes | None
    paid_on: date | None
    historic: bool

    def differs_from(self, content: bytes, row: bytes | None, paid_on: date | None) -> Problem | None:
        """Why a line is not this invoice sent again; None where it is.

        It is where its content is the same, or its sender's own cells and the amounts: then more is read of it than
        there was before, or less. An open invoice that was paid since may well be sent once more as it was.
        """
        if self.content != content and (row is None or self.row != row):
            return _TAKEN
        if paid_on == self.paid_on or (paid_on is None and not self.historic):
            return None
        return _UNPAID if self.paid_on is None else _PAID


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the database says of the lines whose supplier is known, before anything of the batch is stored.

    `references` and the places of `same_number` are those of the lines; `same_number` is the earliest invoice of a
    line's supplier, number and kind (rule D1), None where a published number is no invoice's.
    """

    references: Sequence[str]
    existing: Mapping[str, Any]
    holds: Mapping[UUID, tuple[str, ...]]
    same_number: Mapping[int, UUID | None]


async def facts_of_lines(session: AsyncSession, lines: Sequence[_SupplierLine], context: ImportContext) -> LineFacts:
    """Ask all that is asked about the lines of a batch."""
    if not lines:
        return LineFacts([], {}, {}, {})
    references, existing = await _references(session, [draft for draft, _ in lines], context)
    return LineFacts(
        references,
        existing,
        holds=await _holds(session, lines),
        same_number=await _same_number(session, lines),
    )


class LineOutcomes:
    """Decides over the lines of a batch, from the first to the last; `decide` takes them some at a time.

    It counts rows of the file, of which an invoice may be several. `net_pence` sums the new and the existing ones.
    """

    def __init__(self, write_refusals: WriteRefusals) -> None:
        self.accepted = self.existing = self.net_pence = self.refused_pence = 0
        self.amounts_disagree = self.vat_derived = 0
        self.refused: list[Refusal] = []
        self._write_refusals = write_refusals
        self._first_of_number: dict[str, UUID] = {}
        self._first_paid: dict[tuple[str, str, int], tuple[UUID, str]] = {}
        self._paid_under: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def of_known_suppliers(
        self, drafts: Sequence[Draft], known: Mapping[str, LineSupplier | None]
    ) -> list[_SupplierLine]:
        """The lines whose supplier is known (SuppliersOfLines.find); the others are refused."""
        lines: list[_SupplierLine] = []
        for draft in drafts:
            supplier = known.get(draft.supplier_reference)
            if supplier is not None:
                lines.append((draft, supplier))
            else:
                self._refuse(draft, _UNKNOWN if draft.supplier_reference in known else _NOT_ASKED)
        return lines

    def decide(
        self, lines: Sequence[_SupplierLine], facts: LineFacts, ids: Sequence[UUID], places: range
    ) -> list[NewInvoice]:
        """The new invoices among the lines at these places, each with the id of its place."""
        new: list[NewInvoice] = []
        for place in places:
            draft, supplier = lines[place]
            reference, content = facts.references[place], _content_of(draft, supplier)
            stored = _known(facts.existing.get(reference))
            row = _row_of(draft)
            problem = stored.differs_from(content, row, draft.paid_on) if stored is not None else None
            if stored is None and supplier.status in ENDED and draft.paid_on is None:
                problem = _CLOSED
            if problem is not None:
                self._refuse(draft, problem)
                continue
            self.net_pence += draft.net_pence
            if stored is not None:
                self.existing += draft.rows
                continue
            self.accepted += draft.rows
            self.amounts_disagree += draft.rows if draft.amounts_disagree else 0
            self.vat_derived += draft.rows if draft.vat_derived else 0
            new.append(
                NewInvoice(
                    id=ids[place],
                    draft=draft,
                    reference=reference,
                    supplier_id=supplier.supplier_id,
                    supplier_text=supplier.text,
                    terms_days=supplier.terms_days,
                    content_hash=content,
                    row_hash=row,
                    reasons=facts.holds.get(supplier.supplier_id, ()) if draft.paid_on is None else (),
                    duplicate_of=self._duplicate_of(draft, supplier, ids[place], facts, place),
                )
            )
        return new

    def _duplicate_of(
        self, draft: Draft, supplier: LineSupplier, mine: UUID, facts: LineFacts, place: int
    ) -> UUID | None:
        """Rule D1: the same supplier, number and kind, stored before or earlier in the batch, of one that is unpaid.

        Of published payments: the same supplier's invoice and amount under another transaction number.
        """
        if draft.line_key is not None:
            return self._paid_before(draft, supplier, mine, facts, place)
        identity = f"{supplier.text}{draft.kind}{draft.number_key}"
        other = facts.same_number.get(place) or self._first_of_number.setdefault(identity, mine)
        return other if other is not mine and draft.paid_on is None else None

    def _paid_before(
        self, draft: Draft, supplier: LineSupplier, mine: UUID, facts: LineFacts, place: int
    ) -> UUID | None:
        if draft.invoice_number_key is None or not draft.gross_pence:
            return None
        paid_under = self._paid_under[supplier.text, draft.invoice_number_key]
        paid_under.add(draft.number)
        earlier = facts.same_number.get(place)
        if len(paid_under) > MOST_PAYMENTS_OF_ONE or (earlier is None and place in facts.same_number):
            return None
        identity = supplier.text, draft.invoice_number_key, draft.gross_pence
        first, number = self._first_paid.setdefault(identity, (mine, draft.number))
        return earlier or (first if number != draft.number else None)

    def _refuse(self, draft: Draft, problem: Problem) -> None:
        self.refused += self._write_refusals(draft, problem)
        self.refused_pence += draft.net_pence


def _known(row: Any | None) -> _KnownInvoice | None:
    if row is None:
        return None
    return _KnownInvoice(bytes(row["content_hash"]), row["row_hash"], row["paid_on"], row["historic"])


async def _references(
    session: AsyncSession, drafts: Sequence[Draft], context: ImportContext
) -> tuple[list[str], dict[str, Any]]:
    """The source reference of each line, and which of them are there already."""
    connection = await driver(session)
    if drafts[0].line_key is not None:
        return await lines_store.number_repeats(connection, context.import_id, context.source_system, drafts)
    references = [draft.reference for draft in drafts]
    return references, await lines_store.existing(connection, context.source_system, references)


async def _holds(session: AsyncSession, lines: Sequence[_SupplierLine]) -> dict[UUID, tuple[str, ...]]:
    """Why suppliers of unpaid invoices may not be paid; they stay so until we commit."""
    ids = {supplier.supplier_id for draft, supplier in lines if draft.paid_on is None}
    if not ids:
        return {}
    rows = await suppliers.share(session, list(ids))
    return {
        supplier_id: tuple(reasons)
        for supplier_id, row in rows.items()
        if (reasons := hold_reasons(row["status"], row["open_changes"]))
    }


def _row_of(draft: Draft) -> bytes | None:
    """A line of invoices by its own cells, and by what it comes to as they are read."""
    if draft.line_key is not None:
        return None
    read = (draft.net_pence, draft.vat_pence, draft.gross_pence, draft.received_on.toordinal())
    whole = "\0".join((draft.row_key, draft.supplier_reference, draft.number, *map(str, read)))
    return hashlib.blake2b(whole.encode(), digest_size=16).digest()


def _content_of(draft: Draft, supplier: LineSupplier) -> bytes:
    if draft.line_key is not None:
        return bytes.fromhex(draft.line_key)
    return content_hash(supplier.text, draft.content)


async def _same_number(session: AsyncSession, lines: Sequence[_SupplierLine]) -> Mapping[int, UUID | None]:
    """The earliest invoice with each line's number, by the line's place."""
    if lines[0][0].line_key is not None:
        return await _paid_before(session, lines)
    return await lines_store.first_with_number(
        await driver(session),
        [supplier.text for _, supplier in lines],
        [draft.number_key for draft, _ in lines],
        [draft.kind for draft, _ in lines],
    )


async def _paid_before(session: AsyncSession, lines: Sequence[_SupplierLine]) -> dict[int, UUID | None]:
    """The earliest payment of each published line's invoice, by the line's place; few bodies publish those numbers."""
    places: list[int] = []
    payments: list[lines_store.PublishedPayment] = []
    for place, (draft, supplier) in enumerate(lines):
        if draft.invoice_number_key is not None and draft.gross_pence:
            places.append(place)
            payments.append(
                lines_store.PublishedPayment(supplier.text, draft.invoice_number_key, draft.gross_pence, draft.number)
            )
    if not payments:
        return {}
    found = await lines_store.first_paid(await driver(session), payments)
    return {places[index]: earlier for index, earlier in found.items()}
