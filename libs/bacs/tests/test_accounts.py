import re

import pytest
from council_bacs.accounts import account_number, masked_account_number, masked_sort_code, sort_code
from hypothesis import given
from hypothesis import strategies as st

SIX = st.from_regex(r"\A[0-9]{6}\Z")
EIGHT = st.from_regex(r"\A[0-9]{8}\Z")


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


@pytest.mark.parametrize(
    ("written", "number"), [("55779911", "55779911"), ("5577991", "05577991"), ("557799", "00557799")]
)
def test_shorter_account_numbers(written: str, number: str) -> None:
    assert account_number(written) == number


@given(st.text(max_size=12))
def test_what_is_no_account_is_refused_without_repeating_it(written: str) -> None:
    for read, size in ((sort_code, 6), (account_number, 8)):
        try:
            assert len(read(written)) == size
        except ValueError as refusal:
            # The same words whatever was written.
            with pytest.raises(ValueError, match=re.escape(str(refusal))):
                read("")


@given(SIX, EIGHT)
def test_masks_show_the_last_digits_and_no_others(sort: str, account: str) -> None:
    shown = masked_sort_code(sort), masked_account_number(account)
    assert ["".join(filter(str.isdigit, mask)) for mask in shown] == [sort[-2:], account[-4:]]
    assert [len(mask) for mask in shown] == [8, 8]
