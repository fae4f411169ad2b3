from datetime import date

import pytest
from council_common.imports.dates import parse_date
from council_common.imports.problems import BadValue
from council_common.imports.values import clean_text, is_redacted, parse_integer, parse_money, parse_pence
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("1234.56", 123456),
        ("1,234.56", 123456),
        ("1,234,567.8", 123456780),
        ("(1,234.56)", -123456),
        ("-1234.5", -123450),
        ("£1,234.56", 123456),
        ("-£5", -500),
        ("£-5.00", -500),
        ("(£5.00)", -500),
        ("1234.56-", -123456),
        ("−12.00", -1200),
        ("+12.00", 1200),
        ("  750 \u00a0", 75000),
        (" 5,616.65 ", 561665),
        (".50", 50),
        ("0.00", 0),
        ("1234.5600", 123456),
        ("00012.30", 1230),
    ],
)
def test_money_is_read_to_the_penny(text: str, pence: int) -> None:
    assert parse_money(text) == pence


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.234,56", "decimal-comma"),
        ("12,50", "decimal-comma"),
        ("1,23.4", "not-money"),
        ("1234.567", "too-many-decimals"),
        ("1234.5600000001", "too-many-decimals"),
        ("1.2E+05", "scientific-notation"),
        ("34405..40", "not-money"),
        ("98.31.", "not-money"),
        ("5.", "not-money"),
        ("(5.00", "not-money"),
        ("(-5.00)", "not-money"),
        ("--5", "not-money"),
        ("twelve", "not-money"),
        ("$5", "not-money"),
        ("", "not-money"),
        ("-", "not-money"),
        ("nan", "not-money"),
        ("١٢.٥٠", "not-money"),
        ("²3", "not-money"),
        ("9" * 20, "amount-too-large"),
        ("1_000.00", "not-money"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_money(text)
    assert refused.value.code == code


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_money_survives_writing_and_reading(pence: int) -> None:
    pounds = f"{abs(pence) // 100:,}.{abs(pence) % 100:02d}"
    assert parse_money(("-" if pence < 0 else "") + pounds.replace(",", "")) == pence
    assert parse_money(f"({pounds})" if pence < 0 else f" £{pounds} ") == pence


@given(st.text(max_size=12))
def test_any_text_is_money_or_refused_with_a_reason(text: str) -> None:
    try:
        assert isinstance(parse_money(text), int)
    except BadValue as refused:
        assert refused.problem and refused.expected


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("-500", -500), (" 3.0 ", 3), ("007", 7)])
def test_whole_numbers(text: str, number: int) -> None:
    assert parse_pence(text) == number
    assert parse_integer(text) == number


@pytest.mark.parametrize("text", ["12.5", "1,000", "1e3", "£5", "x", "9" * 31])
def test_pence_are_whole(text: str) -> None:
    with pytest.raises(BadValue):
        parse_pence(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/02/2013", date(2013, 2, 1)),
        ("1/2/13", date(2013, 2, 1)),
        ("01.02.2013", date(2013, 2, 1)),
        ("04-Jul-13", date(2013, 7, 4)),
        ("19-Oct-2012", date(2012, 10, 19)),
        ("4 Jul 2013", date(2013, 7, 4)),
        ("2 July 2013", date(2013, 7, 2)),
        ("2nd July 2013", date(2013, 7, 2)),
        ("9 Sept 2013", date(2013, 9, 9)),
        ("2013-07-02", date(2013, 7, 2)),
        ("20130702", date(2013, 7, 2)),
        ("2013-07-02T10:11:12Z", date(2013, 7, 2)),
        ("2026-06-30T23:00:00Z", date(2026, 7, 1)),  # midnight in London in the summer
        ("2026-01-31T23:00:00Z", date(2026, 1, 31)),  # eleven at night in the winter
        ("2026-07-01T00:30:00+02:00", date(2026, 6, 30)),
        ("30/06/2026 23:30Z", date(2026, 7, 1)),
        ("2026-06-30T23:00:00", date(2026, 6, 30)),
        ("2013-07-02 10:11:12.5+01:00", date(2013, 7, 2)),
        ("02/07/2013 00:00", date(2013, 7, 2)),
        ("Friday, April 29, 2022", date(2022, 4, 29)),
        ("Fri 29 April 2022", date(2022, 4, 29)),
        ("July 2, 2013", date(2013, 7, 2)),
        ("31-Dec-99", date(1999, 12, 31)),
        ("29/02/2024", date(2024, 2, 29)),
    ],
)
def test_dates_as_councils_write_them(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("04/29/2022", "not-a-calendar-day"),
        ("29/02/2023", "not-a-calendar-day"),
        ("00/01/2023", "not-a-calendar-day"),
        ("31 Smarch 2023", "not-a-calendar-day"),
        ("Monday, April 29, 2022", "wrong-weekday"),
        ("41457", "not-a-date"),
        ("soon", "not-a-date"),
        ("22/04/222", "not-a-date"),
        ("2022-13-01", "not-a-calendar-day"),
        ("", "not-a-date"),
        ("TBC", "not-a-date"),
    ],
)
def test_no_date_is_guessed(text: str, code: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_date(text)
    assert refused.value.code == code


def test_american_order_and_serials_only_where_the_mapping_says_so() -> None:
    assert parse_date("04/29/2022", order="mdy") == date(2022, 4, 29)
    assert parse_date("41457", excel_serial=True) == date(2013, 7, 2)
    with pytest.raises(BadValue, match="day first"):
        parse_date("29/04/2022", order="mdy")
    with pytest.raises(BadValue, match="outside Excel"):
        parse_date("60", excel_serial=True)


@given(st.dates(min_value=date(1970, 1, 1), max_value=date(2069, 12, 31)))
def test_every_form_of_a_day_is_that_day(day: date) -> None:
    for form in ("%d/%m/%Y", "%d-%b-%y", "%d %B %Y", "%Y-%m-%d", "%Y%m%d", "%A, %B %d, %Y", "%a %d %b %Y"):
        assert parse_date(day.strftime(form)) == day


def test_text_is_trimmed_and_spreadsheet_errors_are_no_text() -> None:
    assert clean_text("  Harbour\u00a0 Dredging \t Co\n") == "Harbour Dredging Co"
    assert clean_text("\ufeffBody") == "Body"
    assert clean_text("#N/A") == ""
    for broken in ("a\0b", "half \ud800"):
        with pytest.raises(BadValue):
            clean_text(broken)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("REDACTED PERSONAL DATA", True),
        ("Redacted Data", True),
        ("Personal Redacted Data", True),
        ("Redaction", True),
        ("", True),
        (None, True),
        ("Redactive Printing Ltd", False),
        ("Able Personnel Ltd", False),
    ],
)
def test_redacted_suppliers(name: str | None, hidden: bool) -> None:
    assert is_redacted(name) is hidden
