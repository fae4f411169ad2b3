"""The set-based statements on many payments at once: what decides about them, and what is stored of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from council_common.contracts.fields import VatShare
from council_common.database.many_rows import SourceKey, copy_rows
from council_common.database.rows import columns_of, plain_row
from council_common.database.sessions import fetch_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.paying.payment_exceptions.tables import PaymentException
from invoice_service.paying.payments.tables import Payment
from invoice_service.register.credit_note_applications.store import credits_of_many
from invoice_service.register.invoices.bulk_store import lock_invoices
from invoice_service.register.invoices.store import DISPUTE_END, HELD_ON
from invoice_service.register.invoices.tables import Invoice

# Two statements in one: an OR over both would read the whole table.
_PAYMENTS = f"""
SELECT {columns_of(Payment, "p")} FROM payment p WHERE invoice_id = ANY($1::uuid[])
UNION
SELECT {columns_of(Payment, "p")} FROM payment p JOIN unnest($2::text[], $3::text[]) AS named (system, reference)
    ON p.source_reference = named.reference AND p.source_system = named.system
"""
_HOLDS = f"""
SELECT asked.invoice_id, asked.day,
    ({DISPUTE_END.format(invoice_id="asked.invoice_id", arisen_by="asked.day")}) AS dispute_ended_on,
    {HELD_ON.format(invoice_id="asked.invoice_id", day="asked.day")} AS held_when_sent
FROM unnest($1::uuid[], $2::date[]) AS asked (invoice_id, day)
WHERE EXISTS (SELECT FROM invoice_hold WHERE invoice_hold.invoice_id = asked.invoice_id)
"""

PAYMENT_COLUMNS = (
    *("id", "version", "invoice_id", "supplier_id", "source_system", "source_reference", "remitted_on", "arrives_on"),
    *("paid_pence", "deducted_pence", "overpaid_pence", "method", "reference", "vat_shares", "exceptions", "status"),
    *("recorded_by", "recorded_by_name", "recorded_at"),
)
EXCEPTION_COLUMNS = (
    *("id", "version", "payment_id", "invoice_id", "supplier_id", "invoice_number", "kind", "recover_pence"),
    *("hold_reasons", "remitted_on", "recorded_by", "found_at", "status"),
)
_NOT_YET = dict.fromkeys(("changed_at", "version", "return_reason", "returned_on"))
_JSON = PAYMENT_COLUMNS.index("vat_shares")
_PAYMENT_OF = attrgetter(*PAYMENT_COLUMNS)
_EXCEPTION_OF = attrgetter(*EXCEPTION_COLUMNS)


class Payables(NamedTuple):
    """What decides about many payments: their invoices, locked, with the payments, holds and credits of each."""

    invoices: dict[UUID, Invoice]
    payments: dict[UUID, list[Payment]]
    by_source: dict[SourceKey, Payment]
    holds: dict[tuple[UUID, date], tuple[date | None, list[str]]]
    credits: dict[UUID, list[list[VatShare]]]

    def holds_on(self, invoice_id: UUID, day: date) -> tuple[date | None, list[str]]:
        """When the last dispute that had arisen by a day ended, and the reasons that stood on it."""
        return self.holds.get((invoice_id, day), (None, []))


async def lock_payables(
    session: AsyncSession, asked: Sequence[tuple[UUID, date]], sources: Sequence[SourceKey]
) -> Payables:
    """Everything that decides about payments of invoices, each sent on a day."""
    invoices = await lock_invoices(session, (invoice_id for invoice_id, _ in asked))
    systems, references = [system for system, _ in sources], [reference for _, reference in sources]
    payments: dict[UUID, list[Payment]] = defaultdict(list)
    by_source: dict[SourceKey, Payment] = {}
    for row in await fetch_all(session, _PAYMENTS, list(invoices), systems, references):
        payment = plain_row(Payment, row)
        payments[payment.invoice_id].append(payment)
        by_source[payment.source_system, payment.source_reference] = payment
    ids, days = [invoice_id for invoice_id, _ in asked], [day for _, day in asked]
    holds = {
        (row["invoice_id"], row["day"]): (row["dispute_ended_on"], row["held_when_sent"])
        for row in await fetch_all(session, _HOLDS, ids, days)
    }
    credited = [invoice.id for invoice in invoices.values() if invoice.credited_pence]
    return Payables(invoices, payments, by_source, holds, await credits_of_many(session, credited))


def made_payment(**values: Any) -> Payment:
    """A payment for `add_payments`, of its columns by name: not one for a session."""
    return plain_row(Payment, {**_NOT_YET, **values})


async def add_payments(
    session: AsyncSession, payments: Sequence[Payment], exceptions: Sequence[PaymentException]
) -> None:
    """Add new payments and what was found in them. Raises UniqueViolationError."""
    await copy_rows(session, "payment", PAYMENT_COLUMNS, [_row(payment) for payment in payments])
    await copy_rows(session, "payment_exception", EXCEPTION_COLUMNS, [_EXCEPTION_OF(one) for one in exceptions])


def _row(payment: Payment) -> tuple[Any, ...]:
    values = list(_PAYMENT_OF(payment))
    values[_JSON] = json.dumps(values[_JSON])
    return tuple(values)
