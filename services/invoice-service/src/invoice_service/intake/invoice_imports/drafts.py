"""From a row that was read to an invoice that may be stored: pure and quick, a million times over."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from council_common.errors import DateInFuture, DatesOutOfOrder, DateTooEarly
from council_common.fields import EARLIEST, PRINTABLE
from council_common.imports import Problem
from council_common.imports.published_spend import PublishedSpendLine
from council_common.money import MAX_PENCE

from invoice_service.intake.invoice_imports.mappings import InvoiceLine
from invoice_service.intake.invoice_imports.rules import BY_SIGN, Profile, line_key, published_supplier
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.rules import (
    content_text,
    dates_that_cannot_be,
    normalised_number,
    problem_of,
    transaction_key,
)
from invoice_service.register.invoices.vat import effective_rate, is_possible, plain_rate, rate_that_fits

_PRINTABLE = re.compile(PRINTABLE)
_LONGEST_REFERENCE = 200


class Draft(NamedTuple):
    """An invoice as its line has it; the supplier is still a reference, and nothing is known of other lines.

    `place` is that in its batch. `line_key` is set where lines are known by their content (published spending),
    `content` where they have a reference. `due_on` None means by the supplier's terms.
    `lines` and `vat_shares` are JSON. `row_lines` are the lines of its rows where it has several; their cells stand
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
    row_lines: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows of the file it is."""
        return len(self.row_lines) or 1


class Refused(Exception):
    """A line that can be read and is invalid."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


Drafter = Callable[[int, int, tuple[Any, ...], date], Draft]


def drafter(profile: Profile) -> Drafter:
    """What turns a line's number, place and row (and today's date) into a draft, or raises Refused."""
    return published_draft if profile is Profile.PUBLISHED_SPEND else invoice_draft


def published_draft(line_number: int, place: int, row: tuple[Any, ...], today: date) -> Draft:
    """A payment that a body published: an invoice of one line, received, due and paid that day.

    The amount is taken as net with no VAT (the Code asks for net of recoverable VAT) unless the line also says
    VAT and gross, they add up, and the VAT can be a part of that net. Such a line may stand for several rates: it
    has the usual one that fits, else the percentage that it comes to. A negative amount is a credit note.
    """
    line = PublishedSpendLine._make(row)
    if line.paid_on > today:
        raise Refused(problem_of(DateInFuture("paid_on", today=today)))
    if line.paid_on < EARLIEST:
        raise Refused(problem_of(DateTooEarly("paid_on", EARLIEST, before=str(EARLIEST))))
    net = line.net_pence
    vat, gross, rate = 0, net, "0"
    if line.vat_pence and line.gross_pence is not None and net + line.vat_pence == line.gross_pence:
        fitting = rate_that_fits(net, line.vat_pence, on=line.paid_on) or effective_rate(net, line.vat_pence)
        if fitting is not None:
            vat, gross, rate = line.vat_pence, line.gross_pence, fitting
    bounded(net, vat, gross)
    key = line_key(row)
    supplier_reference, supplier_name = published_supplier(line.supplier_name, line.supplier_reference)
    number = (line.transaction_number or line.invoice_number or "unnumbered")[:200]
    if not (number.isprintable() and supplier_reference.isprintable() and supplier_name.isprintable()):
        _check_printable(transaction_number=number, supplier_reference=supplier_reference, supplier_name=supplier_name)
    lines, vat_shares = _line(line.purpose or line.category, net, rate, vat, line.department)
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
    )


def invoice_draft(
    line_number: int, place: int, row: tuple[Any, ...], today: date, *, of_several: bool = False
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
    net, vat, gross = line.net, line.vat, line.gross
    if net is None or vat is None or gross is None or net + vat != gross or not -MAX_PENCE <= gross <= MAX_PENCE:
        net, vat, gross = _amounts(net, vat, gross)
    received_on, due_on, paid_on = line.received_on, line.due_on, line.paid_on
    issued_on = line.issued_on or received_on
    if not EARLIEST <= issued_on <= received_on <= today or due_on is not None or paid_on is not None:
        _check_dates(line, today)
    if of_several:
        kind = line.kind or ""
    else:
        kind = "invoice" if line.kind is None and gross >= 0 else kind_of(line.kind, gross)
    lines, vat_shares = _line(line.description, net, _rate(line.vat_rate, net, vat, issued_on), vat, line.department)
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


def _amounts(net: int | None, vat: int | None, gross: int | None) -> tuple[int, int, int]:
    """Net, VAT and gross; one of net and gross may be left out, and VAT where there is none."""
    if net is None and gross is None:
        raise Refused(Problem("net", "missing-value", "neither net nor gross is given", "at least one of them"))
    vat = vat or 0
    net = net if net is not None else (gross or 0) - vat
    gross = gross if gross is not None else net + vat
    if net + vat != gross:
        problem = f"net {net} and VAT {vat} do not add up to gross {gross} (pence)"
        raise Refused(Problem("gross", "sums-differ", problem, f"{net + vat}"))
    bounded(net, vat, gross)
    return net, vat, gross


def bounded(*amounts: int) -> None:
    """Raise Refused for amounts that are larger than an event holds."""
    if any(abs(amount) > MAX_PENCE for amount in amounts):
        raise Refused(Problem("net", "amount-too-large", "is too large", f"at most {MAX_PENCE} pence"))


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


def _rate(stated: str | None, net: int, vat: int, issued_on: date) -> str:
    if stated is None:
        rate = rate_that_fits(net, vat, on=issued_on)
        if rate is None:
            problem = "the VAT fits no usual rate, and the line has no rate"
            raise Refused(Problem("vat_rate", "missing-value", problem, "a rate in percent, such as 20"))
        return rate
    rate = _read_rate(stated)
    if vat and not is_possible(net, vat, Decimal(rate)):
        problem = f"{vat} pence is not the VAT of {net} pence at {rate} percent"
        right = "net times rate, at most a penny more; 0 for a reverse charge"
        raise Refused(Problem("vat", "vat-beyond-rate", problem, right))
    return rate


@lru_cache(maxsize=1000)
def _read_rate(text: str) -> str:
    try:
        rate = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        rate = Decimal(-1)
    exponent = rate.as_tuple().exponent
    if not rate.is_finite() or not 0 <= rate <= 100 or not isinstance(exponent, int) or exponent < -6:
        raise Refused(Problem("vat_rate", "not-a-rate", "is not a rate of VAT", "percent, such as 20 or 12.5"))
    return plain_rate(rate)


def _line(description: str | None, net: int, rate: str, vat: int, department: str | None) -> tuple[str, str]:
    """The one line of the invoice, and its one VAT share, as JSON. Written as `rules.stored_lines` writes it."""
    described = encode_basestring(description or "")
    of = "null" if department is None else encode_basestring(department)
    amounts = f'"net_pence":{net},"vat_rate":"{rate}","vat_pence":{vat}'
    shares = f'[{{"vat_rate":"{rate}","net_pence":{net},"vat_pence":{vat}}}]'
    return f'[{{"description":{described},{amounts},"department":{of}}}]', shares
