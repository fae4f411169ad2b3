from datetime import date

from council_common.database.row_writes import RowWrite, one_statement
from sqlalchemy import Column, Date, MetaData, Table


def test_a_column_may_have_the_name_of_a_word_of_sql() -> None:
    visit = Table("visit", MetaData(), Column("on", Date))
    write = RowWrite(row=None, table=visit, is_new=True, version=None, values={"on": date(2026, 3, 11)})
    statement, parameters = one_statement([write], [])
    assert 'INSERT INTO visit ("on") VALUES ($1::DATE)' in statement
    assert parameters == [date(2026, 3, 11)]
