from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from council_common.contracts.fields import SourceReference, VatShare
from council_common.contracts.invoices import InvoiceReceivedV1
from council_common.events.envelope import seal, unseal
from council_common.identity.actor import Actor
from council_common.imports.published_spend import PublishedSpendLine
from council_common.money import MAX_PENCE
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.bulk_ids import ordered_ids
from invoice_service.intake.invoice_imports.assembling import INVOICE_COLUMNS, ImportContext, NewInvoice, assemble
from invoice_service.intake.invoice_imports.drafts import Refused, invoice_draft, published_draft
from invoice_service.intake.invoice_imports.mappings import ColumnMapping, InvoiceLine, mapping_of
from invoice_service.intake.invoice_imports.rules import Profile, occurrence_reference, published_supplier
from invoice_service.register.invoices.departments import department_of
from invoice_service.register.invoices.rules import (
    Line,
    due_date,
    stored_lines,
)

TODAY = date(2026, 3, 11)


def test_published_lines() -> None:
    row = ("Ardley", None, "Paving", None, TODAY, "T1", None, 10_000, None, None, "A & B Ltd", None)
    assert [occurrence_reference("k", number) for number in (1, 2)] == ["k", "k-2"]
    assert published_supplier("A & B Ltd.", None) == published_supplier("A & B Ltd.", "CASH")
    assert published_supplier("A  b   ltd", None)[0] == published_supplier("A B LTD", None)[0]
    reference, name = published_supplier("Jane Doe", "CASH")
    assert "jane" not in reference.casefold() and name == "Jane Doe"
    long = "Jane " * 60
    assert published_supplier(f"{long}A", None)[0] != published_supplier(f"{long}B", None)[0]
    assert published_supplier(None, None) == ("redacted", "Redacted supplier")
    assert published_supplier(None, "77") == ("77", "Supplier 77")
    assert published_supplier("Redacted Data", "77")[0] == "redacted"
    draft = published_draft(7, 0, row, TODAY, "")
    assert (draft.number_key, draft.kind, draft.gross_pence, draft.paid_on) == ("#T1", "invoice", 10_000, TODAY)
    with_vat = published_draft(7, 0, (*row[:8], 2_000, 12_000, *row[10:]), TODAY, "")
    assert (with_vat.net_pence, with_vat.vat_pence, with_vat.gross_pence) == (10_000, 2_000, 12_000)
    before_2011 = published_draft(7, 0, (*row[:4], date(2010, 6, 1), *row[5:8], 1_750, 11_750, *row[10:]), TODAY, "")
    assert (before_2011.vat_shares, before_2011.gross_pence) == (
        '[{"vat_rate":"17.5","net_pence":10000,"vat_pence":1750}]', 11_750,
    )  # fmt: skip
    of_two_rates = published_draft(7, 0, (*row[:8], 1_234, 11_234, *row[10:]), TODAY, "")
    assert of_two_rates.vat_shares == '[{"vat_rate":"12.34","net_pence":10000,"vat_pence":1234}]'
    of_import = published_draft(7, 0, (*row[:8], 10_001, 20_001, *row[10:]), TODAY, "")
    assert (of_import.vat_pence, of_import.gross_pence, of_import.amounts_disagree) == (10_001, 20_001, False)
    for vat, gross in ((-1_000, 9_000), (2_000, 12_001)):
        odd = published_draft(7, 0, (*row[:8], vat, gross, *row[10:]), TODAY, "")
        assert (odd.net_pence, odd.vat_pence, odd.gross_pence, odd.amounts_disagree) == (10_000, vat, gross, True)
    empty = published_draft(7, 0, (*row[:8], 2_000, 0, *row[10:]), TODAY, "")
    assert (empty.gross_pence, empty.amounts_disagree) == (12_000, True)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NAME = _TEXT.filter(lambda text: text.isprintable() and text.strip() != "")


@given(
    number=_NAME, department=st.none() | _TEXT, description=_TEXT, net=st.integers(0, 10**9),
    rate=st.sampled_from(["0", "5", "12.50"]), paid=st.none() | st.just(TODAY), due=st.none() | st.just(TODAY),
)  # fmt: skip
def test_what_an_import_writes_is_what_the_models_write(
    *, number: str, department: str | None, description: str, net: int, rate: str, paid: date | None, due: date | None
) -> None:
    received = TODAY - timedelta(days=3)
    vat = net * int(Decimal(rate) * 10) // 1000
    row = (None, "S1", None, number, None, None, None, received, due, paid, net, vat, net + vat, rate, department,
           description)  # fmt: skip
    draft = invoice_draft(3, 0, row, TODAY, "")
    line = Line(description, net, Decimal(rate), vat, department)
    assert draft.lines == stored_lines([line])
    context = ImportContext(Actor("some\"one's", "x"), datetime(2026, 3, 11, 9, 30, 0, 5, UTC), "e\\rp", uuid4(), None)
    supplier_id, [invoice_id] = uuid4(), ordered_ids(1, milliseconds=1_773_221_400_000)
    new = NewInvoice(
        id=invoice_id, draft=draft, reference=draft.reference, supplier_id=supplier_id,
        supplier_text=str(supplier_id), terms_days=30,
        content_hash=b"",
    )  # fmt: skip
    rows = assemble([new], context, milliseconds=1_773_221_400_000)
    [(event_id, topic, key, event_type, payload)] = rows.outbox
    event = InvoiceReceivedV1(
        version=1, occurred_at=context.at, by=context.by.subject, invoice_id=UUID(str(invoice_id)),
        supplier_id=supplier_id, source=SourceReference(system="e\\rp", reference=draft.reference), number=number,
        issued_on=received, received_on=received, due_on=due or due_date(received, 30), net_pence=net,
        vat_pence=vat, gross_pence=net + vat,
        vat_shares=[VatShare(vat_rate=Decimal({"12.50": "12.5"}.get(rate, rate)), net_pence=net, vat_pence=vat)],
        status="paid" if paid else "received", historic=bool(paid), paid_on=paid,
        department=department_of([(department, net)]),
    )  # fmt: skip
    assert (topic, key, event_type) == (event.topic, invoice_id, event.type)
    assert unseal(payload, InvoiceReceivedV1).data == event
    [stored] = rows.invoices
    by_column = dict(zip(INVOICE_COLUMNS, stored, strict=True))
    assert {name: by_column[name] for name in ("net_pence", "vat_pence", "gross_pence", "due_on", "number")} == {
        "net_pence": net, "vat_pence": vat, "gross_pence": net + vat, "due_on": event.due_on, "number": number,
    }  # fmt: skip
    assert by_column["paid_pence"] == (net + vat if paid else 0)
    assert payload == seal(event, event_id=event_id) or not number.isascii() or not draft.reference.isascii()


_ANY_DAY = st.dates()
_AMOUNT = st.none() | st.integers(-(10**15), 10**15)


@given(
    days=st.tuples(st.none() | _ANY_DAY, _ANY_DAY, st.none() | _ANY_DAY, st.none() | _ANY_DAY),
    amounts=st.tuples(_AMOUNT, _AMOUNT, _AMOUNT), rate=st.none() | st.sampled_from(["20", "0%", "NaN", "1e9", "x"]),
)  # fmt: skip
def test_no_line_breaks_an_import(days: tuple[Any, ...], amounts: tuple[Any, ...], rate: str | None) -> None:
    """A far date or a wild amount is a refused line, and a line that is not refused fits an event."""
    row = (None, "S1", None, "1", None, None, *days, *amounts, rate, None, None)
    try:
        draft = invoice_draft(3, 0, row, TODAY, "")
    except Refused as refused:
        assert all(problem.field and problem.expected for problem in refused.problems)
        return
    assert max(abs(draft.net_pence), abs(draft.vat_pence), abs(draft.gross_pence)) <= MAX_PENCE
    assert due_date(draft.received_on, 30) >= draft.received_on


def test_a_line_that_was_read_has_the_fields_of_the_mapping_in_their_order() -> None:
    for mapping in (ColumnMapping(), ColumnMapping(amounts="pounds", date_order="mdy")):
        assert mapping_of(Profile.INVOICES, mapping).names == InvoiceLine._fields
    assert mapping_of(Profile.PUBLISHED_SPEND, ColumnMapping()).names == PublishedSpendLine._fields
