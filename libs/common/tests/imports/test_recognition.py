"""Columns by name, by words in any order, and by content; of two that fit the sender is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from council_common.imports import DoubtfulFile, UnreadableFile
from council_common.imports.published_spend import PUBLISHED_SPEND, amount_basis
from council_common.imports.vocabulary import words_of

Read = Callable[..., Any]
ONE = {"paid_on": "08/04/2025", "net_pence": "60.52", "supplier_name": "Example Roofing Ltd", "vat_pence": "1.00"}


def understood(read: Read, header: str, *records: str) -> dict[str, str]:
    """The header's name of each field, and how it was found where that was not by its name as it stands."""
    reading = read("\r\n".join((header, *records, "")).encode(), mapping=PUBLISHED_SPEND).reading
    return {
        column.field: f"{reading.header[column.index]}{'' if column.why == 'name' else f' ({column.why})'}"
        for column in reading.binding.columns
        if column.index is not None
    }


@pytest.mark.parametrize(
    ("name", "field", "example"),
    [
        ("Amount net of VAT", "net_pence", "60.52"),
        ("Amount (excludes VAT)", "net_pence", "60.52"),
        ("Value ex. VAT £", "net_pence", "60.52"),
        ("Net amount inclusive of irrecoverable VAT", "net_pence", "60.52"),
        ("AP Amount (GBP)", "net_pence", "60.52"),
        ("Total Line Spend", "net_pence", "60.52"),
        ("Payment Value", "net_pence", "60.52"),
        ("Non-recoverable VAT", "vat_pence", "1.00"),
        ("Date Payment Made", "paid_on", "08/04/2025"),
        ("Clearing date (payment)", "paid_on", "08/04/2025"),
        ("invoicepaiddate", "paid_on", "08/04/2025"),
        ("Name of Payee", "supplier_name", "Example Roofing Ltd"),
        ("Paid To", "supplier_name", "Example Roofing Ltd"),
        ("Creditor Name", "supplier_name", "Example Roofing Ltd"),
        ("Trans. ID", "transaction_number", "4600001"),
        ("Payment Ref", "transaction_number", "4600001"),
        ("Vendor ID", "supplier_reference", "117"),
        ("Department or service where expenditure occurred", "department", "Housing"),
        ("Service area categorisation", "department", "Housing"),
        ("Purpose of expenditure (narrative)", "purpose", "Repairs"),
        ("Procurement category", "category", "Works"),
        ("Organization", "body", "Sample Council"),
    ],
)
def test_columns_by_words_in_any_order(read: Read, name: str, field: str, example: str) -> None:
    plain = {"paid_on": "Date", "net_pence": "Amount", "supplier_name": "Supplier"}
    others = {plain[other]: value for other, value in ONE.items() if other in plain and other != field}
    found = understood(read, ",".join([*others, name]), ",".join([*others.values(), example]))
    assert found[field] == f"{name} (words)"


def test_a_name_of_other_words_is_another_column() -> None:
    for name in ("VAT Reg. No", "Supplier Postcode", "Contract Start Date", "Cost Centre", "Bank Account Number"):
        assert not any(words_of(name).known in level for field in PUBLISHED_SPEND.fields for level in field.levels[:1])


def test_what_a_column_is_called_goes_before_where_it_stands(read: Read) -> None:
    found = understood(
        read,
        "Invoice Date,Amount,Due Date,Amount excl. VAT,Payment Made Date,Supplier Postcode,Payee",
        "01/04/2025,72.62,30/04/2025,60.52,08/04/2025,AB1 2CD,Example Roofing Ltd",
    )
    assert found == {
        "net_pence": "Amount excl. VAT (words)",
        "paid_on": "Payment Made Date (words)",
        "supplier_name": "Payee",
    }


def test_a_column_of_dates_of_amounts_or_of_names_is_known_by_what_it_holds(read: Read) -> None:
    records = ["24/08/2025,100.00,Example Pharma Ltd,T1", "25/08/2025,20.00,Sample Fuels Ltd,T2"]
    assert understood(read, "When,Amount,Supplier,Transaction Number", *records)["paid_on"] == "When (content)"
    assert understood(read, "Date,How much,Supplier,Transaction Number", *records)["net_pence"] == "How much (content)"
    assert understood(read, "Date,Amount,Who,Transaction Number", *records)["supplier_name"] == "Who (content)"


@pytest.mark.parametrize(
    ("header", "record", "field", "candidates"),
    [
        ("Date,Supplier,Invoice Value,Line Amount", "24/08/2025,A Ltd,100.00,60.00", "net_pence", 2),
        ("When,And when,Supplier,Amount", "24/08/2025,25/08/2025,Sample Fuels,60.00", "paid_on", 2),
        ("Invoice Date,Supplier,Amount", "24/08/2025,Sample Fuels,60.00", "paid_on", 1),
        ("Payment Date,Date of Payment,Payee,Amount", "24/08/2025,25/08/2025,Sample Fuels,1.00", "paid_on", 2),
        ("Date,Amount,Who,What", "24/08/2025,60.00,Sample Fuels,Diesel", "supplier_name", 2),
    ],
)
def test_where_two_columns_fit_the_sender_is_asked(
    read: Read, header: str, record: str, field: str, candidates: int
) -> None:
    with pytest.raises(DoubtfulFile) as asked:
        understood(read, header, record)
    [doubt] = asked.value.doubts
    assert (doubt.field, len(doubt.candidates)) == (field, candidates)
    assert set(doubt.candidates) <= set(header.split(","))


def test_of_two_that_are_called_alike_content_may_settle_it(read: Read) -> None:
    found = understood(read, "Payment,Payment Date,Payee,Value", "P1,24/08/2025,Sample Fuels,60.00")
    assert (found["paid_on"], found["net_pence"]) == ("Payment Date", "Value")
    found = understood(read, "Date,Vendor,Payee,Value", "24/08/2025,1001,Sample Fuels,60.00")
    assert found["supplier_name"] == "Payee"


@pytest.mark.parametrize(
    "above",
    [
        "SELECT Body, Supplier, Date, Amount FROM payments\r\n",
        '"Payments over £500, March 2013",,\r\n,,Mar-13\r\n\r\n',
        "Date: 01/04/2013\r\nContact,finance@example.org\r\n",
    ],
)
def test_a_query_or_a_title_above_the_header_is_passed_over(read: Read, above: str) -> None:
    text = f"{above}Date,Payee,Payment Value\r\n24/08/2025,Sample Fuels,60.00\r\n"
    outcome = read(text.encode(), mapping=PUBLISHED_SPEND)
    assert ([row[7] for row in outcome.rows], outcome.refusals) == ([6_000], [])


def test_fillers_notes_and_labelled_totals_are_counted_as_what_they_are(read: Read) -> None:
    lines = (
        "Directorate,Supplier,Date,Gross Amount,VAT Amount,Net Amount,Account",
        "Housing,Sample Fuels,05/03/2013,120.00,20.00,100.00,FEES",
        ",,,,,,FILLER",
        "Capital,,,,,,Capital",
        "Amounts are net of VAT",
        "Housing,,,120.00,20.00,100.00,Total for Housing",
        "Housing,Example Roofing,06/03/2013,60.00,10.00,50.00,FEES",
        "Grand Total,,,180.00,30.00,150.00,",
        "Housing,,,12.00,2.00,10.00,FEES",
        "Sample Fue",
    )
    outcome = read("\r\n".join(lines).encode(), mapping=PUBLISHED_SPEND)
    counts = outcome.reading.counts
    assert (counts.accepted, counts.fillers, counts.totals, counts.refused) == (2, 3, 2, 2)
    # An amount without a payee may be a payment, and so may a line that breaks off with the file.
    assert [one.line_number for one in outcome.refusals] == [9, 10]
    assert [(one.amount_pence, one.sum_pence) for one in outcome.totals] == [(10_000, 10_000), (15_000, 15_000)]


def test_a_register_of_contracts_is_no_list_of_payments(read: Read) -> None:
    header = "Directorate,Contract Title,Supplier Company Name,Annual Value,Start Date,Current Expiry Date,Extensions"
    with pytest.raises(UnreadableFile) as refused:
        understood(read, header, "Housing,Roofs,Sample Roofs Ltd,500.00,01/04/2025,31/03/2026,2")
    assert refused.value.code == "missing-columns"


@pytest.mark.parametrize(
    ("column", "basis"), [("Value excluding VAT", "net"), ("Sum incl. VAT", "gross"), ("Sum", "unstated")]
)
def test_the_words_say_what_the_amounts_are(read: Read, column: str, basis: str) -> None:
    outcome = read(f"Date,Payee,{column}\n24/08/2025,Sample Fuels,60.00\n".encode(), mapping=PUBLISHED_SPEND)
    assert amount_basis(outcome.reading.binding) == basis
