import pytest
from council_bacs.accounts import account_number, masked_account_number, masked_sort_code, sort_code
from council_bacs.accounts_in_text import may_hold_account
from hypothesis import given
from hypothesis import strategies as st

SIX = st.from_regex(r"\A[0-9]{6}\Z")
EIGHT = st.from_regex(r"\A[0-9]{8}\Z")
SIGNS = st.sampled_from(["", " ", "-", " - ", "\u2013", "\n", "_"])


@given(SIX, st.sampled_from(["", " ", "-"]))
def test_a_sort_code_is_six_digits_however_it_is_written(digits: str, sign: str) -> None:
    assert sort_code(sign.join((digits[:2], digits[2:4], digits[4:]))) == digits


@given(st.integers(0, 99_999_999), st.integers(6, 8))
def test_an_account_number_is_eight_digits_filled_up_with_zeros(number: int, length: int) -> None:
    written = str(number).zfill(length)
    assert account_number(written) == str(number).zfill(8)


@pytest.mark.parametrize("written", ["", "20-00-0", "2000000", "20.00.00", "20000O", "٢٠٠٠٠٠", "²00000"])
def test_what_is_no_sort_code(written: str) -> None:
    with pytest.raises(ValueError, match="not a sort code; expected 6 digits"):
        sort_code(written)


@pytest.mark.parametrize("written", ["", "12345", "123456789", "1234567a", "١٢٣٤٥٦٧٨", "GB290000"])
def test_what_is_no_account_number(written: str) -> None:
    with pytest.raises(ValueError, match="not an account number; expected 8 digits"):
        account_number(written)


@given(SIX, EIGHT)
def test_masks_show_the_last_digits_and_no_others(sort: str, account: str) -> None:
    shown = masked_sort_code(sort), masked_account_number(account)
    assert ["".join(filter(str.isdigit, mask)) for mask in shown] == [sort[-2:], account[-4:]]
    assert [len(mask) for mask in shown] == [8, 8]


@given(SIX, EIGHT, SIGNS)
def test_an_account_is_found_in_a_text_whatever_is_between_its_digits(sort: str, account: str, sign: str) -> None:
    pair = sign.join((sort[:2], sort[2:4], sort[4:]))
    four = sign.join((account[:4], account[4:]))
    assert may_hold_account(f"pay {pair} {four} from now on")
    assert may_hold_account(f"the account is {four}") or account[:2] in {"19", "20"}


@given(st.from_regex(r"\A[a-z ]{0,20}[0-9]{0,5}[a-z ]{0,20}\Z"))
def test_five_digits_are_no_account(text: str) -> None:
    assert not may_hold_account(text)
