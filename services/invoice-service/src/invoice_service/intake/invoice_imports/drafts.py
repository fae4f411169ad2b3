"""From a row that was read to an invoice that may be stored: pure and quick, a million times over."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from council_common.errors import DateInFuture, DatesOutOfOrder, DateTooEarly
from council_common.fields import EARLIEST, PRINTABLE
from council_common.imports import Problem
from council_common.imports.published_spend import PublishedSpendLine

from invoice_service.intake.invoice_imports.line_amounts import Refused, invoice_amounts, published_amounts
from invoice_service.intake.invoice_imports.mappings import InvoiceLine
from invoice_service.intake.invoice_imports.rules import BY_SIGN, Profile, published_supplier
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.rules import (
    content_text,
    dates_that_cannot_be,
    normalised_number,
    problem_of,
    transaction_key,
)

_PRINTABLE = re.compile(PRINTABLE)
_LONGEST_REFERENCE = 200


class Draft(NamedTuple):
    """An invoice as its line has it; the supplier is still a reference, and nothing is known of other lines.

    `place` is that in its batch. `line_key` is set where lines are known by their content (published spending),
    `content` where they have a reference. `due_on` None means by the supplier's terms. `lines` and `vat_shares` are
    JSON. `invoice_number` is the supplier's own beside a payer's transaction number, `row_key` what the sender's own
    cells come to (`CanonicalCells`). `row_lines` are the lines of its rows where it has several; their cells stand
    side by side, from `place` on.
    """

    line_number: int
    place: int
    line_key: str | None
    reference: str
    supplier_reference: str
    supplier_name: str
    kind: str
    number: str
    number_key: str
    purchase_order_number: str | None
    issued_on: date
    received_on: date
    due_on: date | None
    lines: str
    vat_shares: str
    department: str | None
    net_pence: int
    vat_pence: int
    gross_pence: int
    paid_on: date | None
    content: str
    amounts_disagree: bool = False
    vat_derived: bool = False
    invoice_number: str | None = None
    invoice_number_key: str | None = None
    row_key: str = ""
    row_lines: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows of the file it is."""
        return len(self.row_lines) or 1


Drafter = Callable[[int, int, tuple[Any, ...], date, str], Draft]


def drafter(profile: Profile, *, is_net: bool) -> Drafter:
    """What turns a line's number, place and row (with today's date and the key of its cells) into a draft.

    It raises Refused.
    """
    return partial(published_draft, is_net=is_net) if profile is Profile.PUBLISHED_SPEND else invoice_draft


def published_draft(
    line_number: int, place: int, row: tuple[Any, ...], today: date, key: str, *, is_net: bool = False
) -> Draft:
    """A payment that a body published: an invoice of one line, received, due and paid that day.

    `is_net`: the file says that its amounts are net. A negative amount is a credit note.
    """
    line = PublishedSpendLine._make(row)
    if line.paid_on > today:
        raise Refused(problem_of(DateInFuture("paid_on", today=today)))
    if line.paid_on < EARLIEST:
        raise Refused(problem_of(DateTooEarly("paid_on", EARLIEST, before=str(EARLIEST))))
    amounts = published_amounts(line.net_pence, line.vat_pence, line.gross_pence, line.paid_on, is_net=is_net)
    net, vat, gross = amounts[:3]
    supplier_reference, supplier_name = published_supplier(line.supplier_name, line.supplier_reference)
    invoice_number = line.invoice_number[:200] if line.invoice_number else None
    number = (line.transaction_number or invoice_number or "unnumbered")[:200]
    if invoice_number is not None and not invoice_number.isprintable():
        _check_printable(invoice_number=invoice_number)
    if not (number.isprintable() and supplier_reference.isprintable() and supplier_name.isprintable()):
        _check_printable(transaction_number=number, supplier_reference=supplier_reference, supplier_name=supplier_name)
    lines, vat_shares = _line(line.purpose or line.category, net, amounts.rate, vat, line.department)
    return Draft(
        line_number=line_number,
        place=place,
        line_key=key,
        reference=key,
        supplier_reference=supplier_reference[:200],
        supplier_name=supplier_name[:200],
        kind="credit_note" if gross < 0 else "invoice",
        number=number,
        number_key=transaction_key(number),
        purchase_order_number=None,
        issued_on=line.paid_on,
        received_on=line.paid_on,
        due_on=line.paid_on,
        lines=lines,
        vat_shares=vat_shares,
        department=department_of([(line.department, net)]),
        net_pence=net,
        vat_pence=vat,
        gross_pence=gross,
        paid_on=line.paid_on,
        content="",
        amounts_disagree=amounts.disagree,
        vat_derived=amounts.vat_derived,
        invoice_number=invoice_number,
        invoice_number_key=None if invoice_number is None else normalised_number(invoice_number),
    )


def invoice_draft(
    line_number: int, place: int, row: tuple[Any, ...], today: date, key: str, *, of_several: bool = False
) -> Draft:
    """An invoice of one line. Without a reference of its own it is known by supplier and number.

    `of_several`: it is one of the rows of an invoice, of which only their sum has to be possible for its kind.
    """
    line = InvoiceLine._make(row)
    number, supplier_reference, order_number = line.number, line.supplier_reference, line.purchase_order_number
    reference = line.reference or own_reference(supplier_reference, number)
    supplier_name = line.supplier_name or supplier_reference
    if not (reference.isprintable() and number.isprintable() and supplier_reference.isprintable()):
        _check_printable(reference=reference, number=number, supplier_reference=supplier_reference)
    if not (supplier_name.isprintable() and (order_number is None or order_number.isprintable())):
        _check_printable(supplier_name=supplier_name, purchase_order_number=order_number or "")
    received_on, due_on, paid_on = line.received_on, line.due_on, line.paid_on
    issued_on = line.issued_on or received_on
    if not EARLIEST <= issued_on <= received_on <= today or due_on is not None or paid_on is not None:
        _check_dates(line, today)
    amounts = invoice_amounts(line.net, line.vat, line.gross, line.vat_rate, issued_on)
    net, vat, gross = amounts[:3]
    if of_several:
        kind = line.kind or ""
    else:
        kind = "invoice" if line.kind is None and gross >= 0 else kind_of(line.kind, gross)
    lines, vat_shares = _line(line.description, net, amounts.rate, vat, line.department)
    return Draft(
        line_number=line_number,
        place=place,
        line_key=None,
        reference=reference,
        supplier_reference=supplier_reference,
        supplier_name=supplier_name,
        kind=kind,
        number=number,
        number_key=normalised_number(number),
        purchase_order_number=order_number,
        issued_on=issued_on,
        received_on=received_on,
        due_on=due_on,
        lines=lines,
        vat_shares=vat_shares,
        department=department_of([(line.department, net)]),
        net_pence=net,
        vat_pence=vat,
        gross_pence=gross,
        paid_on=paid_on,
        content=content_text(
            kind=kind,
            number=number,
            purchase_order_number=order_number,
            dates=(issued_on, received_on, due_on),
            amounts=(net, vat, gross),
            lines=lines,
        ),
        amounts_disagree=amounts.disagree,
        vat_derived=amounts.vat_derived,
        row_key=key,
    )


def _check_printable(**texts: str) -> None:
    """References and numbers travel in events, which hold no invisible characters."""
    problems = [
        Problem(field, "invisible-character", "holds an invisible character", "printable text")
        for field, text in texts.items()
        if text and not _PRINTABLE.match(text)
    ]
    if problems:
        raise Refused(*problems)


def own_reference(supplier_reference: str, number: str) -> str:
    """What a line without a reference is known by: supplier and number, neither taken for a part of the other.

    >>> own_reference("A/1", "2"), own_reference("A", "1/2"), len(own_reference("A" * 200, "1" * 200))
    ('A%2F1/2', 'A/1/2', 200)
    """
    whole = f"{supplier_reference.replace('%', '%25').replace('/', '%2F')}/{number}"
    if len(whole) <= _LONGEST_REFERENCE:
        return whole
    digest = hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()
    return f"{whole[: _LONGEST_REFERENCE - len(digest) - 1]}~{digest}"


def _check_dates(line: InvoiceLine, today: date) -> None:
    received_on, paid_on = line.received_on, line.paid_on
    problems = dates_that_cannot_be(line.issued_on or received_on, received_on, line.due_on, today=today)
    if line.issued_on is None:
        problems = [
            replace(problem, field="received_on") if problem.field == "issued_on" else problem for problem in problems
        ]
    if paid_on is not None and paid_on > today:
        problems.append(problem_of(DateInFuture("paid_on", today=today)))
    if paid_on is not None and paid_on < received_on:
        right = f"{received_on} or later"
        problems.append(problem_of(DatesOutOfOrder("paid_on", problem="is before received_on", expected=right)))
    if problems:
        raise Refused(*problems)


def kind_of(stated: str | None, gross: int) -> str:
    """The kind of an invoice by what its line says and its sum. Raises Refused."""
    if stated == BY_SIGN:
        return "credit_note" if gross < 0 else "invoice"
    kind = (stated or "invoice").casefold().replace(" ", "_").replace("-", "_")
    if kind not in ("invoice", "credit_note"):
        raise Refused(Problem("kind", "unknown-kind", "is no kind of invoice", "invoice or credit_note"))
    if kind == "invoice" and gross < 0:
        right = "0 or more; a credit note has kind credit_note"
        raise Refused(Problem("gross", "negative-invoice", "an invoice is not negative", right))
    if kind == "credit_note" and gross >= 0:
        raise Refused(Problem("gross", "positive-credit-note", "a credit note is negative", "less than 0"))
    return kind


def _line(description: str | None, net: int, rate: str, vat: int, department: str | None) -> tuple[str, str]:
    """The one line of the invoice, and its one VAT share, as JSON. Written as `rules.stored_lines` writes it."""
    described = encode_basestring(description or "")
    of = "null" if department is None else encode_basestring(department)
    amounts = f'"net_pence":{net},"vat_rate":"{rate}","vat_pence":{vat}'
    shares = f'[{{"vat_rate":"{rate}","net_pence":{net},"vat_pence":{vat}}}]'
    return f'[{{"description":{described},{amounts},"department":{of}}}]', shares
