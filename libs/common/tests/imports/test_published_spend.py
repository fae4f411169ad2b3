"""Published spending files. The spellings are those of real bodies; names and figures here are invented."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from council_common.imports import UnreadableFile
from council_common.imports.published_spend import PUBLISHED_SPEND, PublishedSpendLine, amount_basis

Read = Callable[..., Any]


def test_rows_are_in_the_order_of_the_named_fields() -> None:
    assert PUBLISHED_SPEND.names == PublishedSpendLine._fields


@pytest.mark.parametrize(
    ("header", "record", "basis"),
    [
        (
            "Service Code,Service Label,Expenditure code,Expenditure category,Payment date,Transaction Number,"
            "Net Amount,Supplier Number,Supplier Name",
            ',Housing,6234,Repairs,2019-09-12,T1,"(1,234.56)",117,Anyborough Roofing',
            "net",
        ),
        (
            "#,Departmental Family,Entity,Date,Expense Type,Expense Area,Supplier,Transaction number,Amount",
            '1,FAM,ANY OFFICE,"Thursday, September 12, 2019",Repairs,Housing,Anyborough Roofing,T1,-1234.56',
            "unstated",
        ),
        (
            "Body,BodyName,ServiceLabel,ServiceDivisionLabel,ExpenditureCategory,DetailedExpenditureType,"
            "DetailedExpenditureCode,DatePaid,TransactionNumber, NetAmount ,CapitalOrRevenue,SupplierName ,,,",
            'http://id,Any Council,Housing,x,Premises,Repairs,205,12-Sep-19,T1,"-1,234.56 ",R,Anyborough Roofing',
            "net",
        ),
        (
            "Authority Name,Date of Payment,DocumentNo,Gross,VAT,Net,Vendor Name,Service Area,GL Description",
            "Any Council,2019-09-12,T1,-1481.47,-246.91,-1234.56,Anyborough Roofing,Housing,Repairs,,,#N/A",
            "net",
        ),
        (
            "Authority Name,Date of Payment,SAP Document Number,Amount,,,Supplier Name,Directorate,Description\n"
            ",,,Gross,VAT,Net,,,",
            "Any Council,2019-09-12,T1,-1481.47,-246.91,-1234.56,Anyborough Roofing,Housing,Repairs,,,W305",
            "net",
        ),
    ],
)
def test_each_bodys_columns_are_found_by_the_header_alone(read: Read, header: str, record: str, basis: str) -> None:
    cells = header.count(",") - record.count(",") if header.endswith(",,,") else 0
    outcome = read(f"{header}\r\n{record}{',' * cells}\r\n".encode(), mapping=PUBLISHED_SPEND)
    assert outcome.refusals == []
    line = PublishedSpendLine(*outcome.rows[0])
    assert (line.department, line.purpose, line.supplier_name) == ("Housing", "Repairs", "Anyborough Roofing")
    assert (line.paid_on, line.transaction_number, line.net_pence) == (date(2019, 9, 12), "T1", -123456)
    assert amount_basis(outcome.reading.binding) == basis


def test_a_contracts_register_is_refused_as_a_whole(read: Read) -> None:
    header = b"Directorate Name,Contract Reference,Contract Title,Annual Value,Start Date,End Date\n"
    with pytest.raises(UnreadableFile) as refused:
        read(header + b"Housing,C1,Roofs,1000.00,2022-03-07,2023-03-07\n", mapping=PUBLISHED_SPEND)
    assert refused.value.code == "missing-columns"
    assert "'Contract Reference'" in refused.value.detail
