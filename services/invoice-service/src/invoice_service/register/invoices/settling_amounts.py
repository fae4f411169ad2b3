"""What an invoice comes to whose net, VAT and gross came from a file and do not add up: a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from council_common.contracts.invoices import InvoiceAmountsSettledV1
from council_common.database.rows import lock_row
from council_common.errors import Conflict
from council_common.holds import ReleaseReason
from council_common.identity.actor import Actor
from council_common.imports import Problem
from council_common.recording import fact, record
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.register.invoices import rules, store
from invoice_service.register.invoices.rules import HoldReason, InvoiceKind, InvoiceMalformed, Line, Release
from invoice_service.register.invoices.tables import Invoice
from invoice_service.register.invoices.usecases import end_hold
from invoice_service.register.invoices.vat import plain_rate


class AmountsAgree(Conflict):
    """The invoice's amounts add up: there is nothing to settle."""

    code = "amounts-agree"


@dataclass(frozen=True, slots=True)
class SettledAmounts:
    """Pence, and the rate of VAT in percent."""

    net_pence: int
    vat_pence: int
    gross_pence: int
    vat_rate: Decimal


async def settle_amounts(
    session: AsyncSession, invoice_id: UUID, amounts: SettledAmounts, *, note: str, by: Actor, at: datetime
) -> Invoice:
    """Put an invoice's amounts right; its hold ends with it, and another person approves it.

    Of an invoice that was paid before its source sent it here the payment is what it comes to. One that was paid or
    credited here keeps its gross amount. Raises AmountsAgree, InvoiceMalformed and PartPaid.
    """
    invoice = await lock_row(session, Invoice, invoice_id)
    if not invoice.amounts_disagree:
        raise AmountsAgree("The amounts of this invoice add up already.")
    if problems := _problems_of(amounts, invoice.kind):
        raise InvoiceMalformed(problems)
    if amounts.gross_pence != invoice.gross_pence:
        _put_gross_right(invoice, amounts.gross_pence)
    before = {name: getattr(invoice, name) for name in ("net_pence", "vat_pence", "gross_pence")}
    invoice.net_pence, invoice.vat_pence, invoice.gross_pence = (
        amounts.net_pence,
        amounts.vat_pence,
        amounts.gross_pence,
    )
    [line] = invoice.lines  # rows of several lines are only taken where their amounts agree
    own = {"net_pence": amounts.net_pence, "vat_pence": amounts.vat_pence, "vat_rate": plain_rate(amounts.vat_rate)}
    invoice.lines = [{**line, **own}]
    invoice.amounts_disagree, invoice.amounts_settled_by = False, by.subject
    shares = rules.vat_shares([_line(amounts)])
    detail = {"note": note, "before": before}
    facts = [fact(invoice, "amounts settled", InvoiceAmountsSettledV1, detail=detail, vat_shares=shares)]
    holds = await store.holds_of(session, invoice_id, open_only=True)
    ended = [hold for hold in holds if hold.reason is HoldReason.AMOUNTS_DISAGREE]
    facts += [end_hold(invoice, hold, Release(ReleaseReason.RESOLVED, note), by=by, at=at) for hold in ended]
    await record(session, *facts, also=ended, by=by, at=at)
    return invoice


def _put_gross_right(invoice: Invoice, gross_pence: int) -> None:
    if invoice.historic and invoice.paid_pence == invoice.gross_pence:
        invoice.paid_pence = gross_pence
    elif invoice.paid_pence or invoice.deducted_pence or invoice.credited_pence:
        raise rules.PartPaid("Some of this invoice is paid or credited: its gross amount stays as it is.")


def _problems_of(amounts: SettledAmounts, kind: InvoiceKind) -> list[Problem]:
    found = rules.vat_that_cannot_be([_line(amounts)])
    right = amounts.net_pence + amounts.vat_pence
    if amounts.gross_pence != right:
        problem = f"is {amounts.gross_pence} but net and VAT add up to {right}"
        found.append(Problem("gross_pence", "sums-differ", problem, f"{right}"))
    return [*found, *rules.sign_that_cannot_be(kind, amounts.gross_pence)]


def _line(amounts: SettledAmounts) -> Line:
    return Line("", amounts.net_pence, amounts.vat_rate, amounts.vat_pence)
