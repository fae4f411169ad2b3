import pytest
from council_common.accounts_in_text import holds_whole_account, may_hold_account
from hypothesis import given
from hypothesis import strategies as st

DIGITS = [st.from_regex(rf"[0-9]{{{size}}}", fullmatch=True) for size in (6, 8)]


@given(*DIGITS, st.sampled_from(["{s} {n}", "{n}", "sort {p}, a/c {n}", "{s}{n}", "{g}", "GB29 NWBK {s}{n}", "{s}"]))
def test_an_account_is_found_in_a_text(sort: str, number: str, form: str) -> None:
    spelt = {"p": f"{sort[:2]}-{sort[2:4]}-{sort[4:]}", "g": f"{number[:4]} {number[4:]}", "s": sort, "n": number}
    assert may_hold_account(f"Pay {form.format(**spelt)} from now on")


@given(*DIGITS, st.text(" \n\t_-\u2013", min_size=1, max_size=3))
def test_an_account_in_a_pasted_mail_is_found_whatever_stands_between(sort: str, number: str, between: str) -> None:
    assert may_hold_account(f"a/c {number[:4]}{between}{number[4:]}")
    assert may_hold_account(f"sort {between.join((sort[:2], sort[2:4], sort[4:]))} please")


@pytest.mark.parametrize(
    "text", ["9173 - 4268", "20 - 55 - 41", "9173_4268", "9173\n4268", "20.55.41", "IBAN GB29 NWBK 2055 4191 7342 68"]
)
def test_accounts_as_mails_have_them(text: str) -> None:
    assert may_hold_account(f"Please pay {text}")


@pytest.mark.parametrize(
    "text",
    [
        "EDRMS 2026/0311",
        "Letter of 9 March 2026, of 2026-03-09, of 9.3.2026",
        "Rang 01603 555 010, +44 (0)1603 555010 and 020 7946 0000",
        "Invoices INV-100234 and 4000123, £100234.50 and £12345678",
        "Years 2024-2025",
        "Company SC123456",
    ],
)
def test_other_numbers_may_be_written(text: str) -> None:
    assert not may_hold_account(text)


@given(st.from_regex(r"\A[a-z ]{0,20}[0-9]{0,5}[a-z ]{0,20}\Z"))
def test_five_digits_are_no_account(text: str) -> None:
    assert not may_hold_account(text)


@given(*DIGITS, st.sampled_from(["", " ", "  ", "-", " / ", ", ", ": "]), st.sampled_from(["", "-", " ", "."]))
def test_a_whole_account_is_found_in_what_systems_record(sort: str, number: str, between: str, inner: str) -> None:
    spelt = inner.join((sort[:2], sort[2:4], sort[4:]))
    is_one_number = not (inner or between)  # the number of a booking, or a time
    assert holds_whole_account(f"Ardley Paving {spelt}{between}{number}") is not is_one_number
    assert not holds_whole_account(f"Charge {spelt}")
    assert not holds_whole_account(f"Account {number}")
