"""The statements on applications of credit notes; each is read under the lock of its invoice or note."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.database.rows import columns_of, locked_row
from council_common.database.sessions import fetch_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.credit_note_applications.tables import CreditNoteApplication
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.invoices.vat_shares import read_shares

_SHARES_BEFORE_PAYMENT = """
SELECT vat_shares FROM credit_note_application
WHERE invoice_id = $1 AND NOT after_payment AND status <> 'reversed'
"""
_SHARES_OF_INVOICES = """
SELECT invoice_id, vat_shares FROM credit_note_application
WHERE invoice_id = ANY($1::uuid[]) AND NOT after_payment AND status <> 'reversed'
"""
_SHARES_OF_NOTE = """
SELECT vat_shares FROM credit_note_application WHERE credit_note_id = $1 AND status <> 'reversed'
"""
_LOCK_DUE = f"""
SELECT {columns_of(CreditNoteApplication, "a")} FROM credit_note_application a
WHERE invoice_id = $1 AND status = 'refund_due' ORDER BY id FOR NO KEY UPDATE
"""


async def credits_of(session: AsyncSession, invoice: Invoice) -> Sequence[Sequence[VatShare]]:
    """What credit notes took off a locked invoice before it was paid, per VAT rate; no statement where none did."""
    if not invoice.credited_pence:
        return ()
    rows = await fetch_all(session, _SHARES_BEFORE_PAYMENT, invoice.id)
    return [read_shares(row["vat_shares"]) for row in rows]


async def credits_of_many(session: AsyncSession, invoice_ids: Sequence[UUID]) -> dict[UUID, list[list[VatShare]]]:
    """`credits_of` for many locked invoices, by their ids."""
    credits_: dict[UUID, list[list[VatShare]]] = defaultdict(list)
    if invoice_ids:
        for row in await fetch_all(session, _SHARES_OF_INVOICES, invoice_ids):
            credits_[row["invoice_id"]].append(read_shares(row["vat_shares"]))
    return credits_


async def used_of(session: AsyncSession, credit_note: Invoice) -> Sequence[Sequence[VatShare]]:
    """What of a locked credit note was applied already, per VAT rate."""
    if not credit_note.credited_pence:
        return ()
    return [read_shares(row["vat_shares"]) for row in await fetch_all(session, _SHARES_OF_NOTE, credit_note.id)]


async def lock_due(session: AsyncSession, invoice_id: UUID) -> Sequence[CreditNoteApplication]:
    """The applications to a locked invoice for which the supplier has still to give money back."""
    rows = await fetch_all(session, _LOCK_DUE, invoice_id)
    return [locked_row(session, CreditNoteApplication, row) for row in rows]
