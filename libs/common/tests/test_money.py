from decimal import Decimal
from fractions import Fraction

import pytest
from council_common.money import Money, Percent, half_up
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

pence = st.integers(min_value=-(10**13), max_value=10**13)


@pytest.mark.parametrize(
    ("amount", "hundredths_of_a_percent", "result"),
    [
        (81_235, 85, 690),  # £812.35 at 0.85 % is £6.90
        (14_999, 85, 127),
        (5_000, 85, 43),  # 42.5 pence: half up
        (118_231, 85, 1005),
        (-5_000, 85, -43),  # a credit mirrors its invoice
        (1, 5_000, 1),
    ],
)
def test_a_rate_is_applied_half_up(amount: int, hundredths_of_a_percent: int, result: int) -> None:
    assert half_up(amount * hundredths_of_a_percent, 10_000) == result


def rounded(exact: Fraction) -> int:
    """Half up by another way: the whole number below a half more, on the amount without its sign."""
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


@given(pence, st.integers(min_value=-(10**13), max_value=10**13).filter(bool))
def test_half_up_is_exact(numerator: int, denominator: int) -> None:
    assert half_up(numerator, denominator) == rounded(Fraction(numerator, denominator))


@given(st.integers(min_value=1, max_value=10**6), st.data())
def test_a_share_that_ends_on_half_a_penny_goes_up(net: int, data: st.DataObject) -> None:
    """A charge at 20 % VAT: a sixth of each part is VAT, and every third odd penny of it is a half."""
    vat, gross = 20 * net, 120 * net
    part = data.draw(st.integers(min_value=0, max_value=gross // 6).map(lambda number: 6 * number + 3))
    assert half_up(vat * part, gross) == rounded(Fraction(part, 6)) == (part + 3) // 6


@pytest.mark.parametrize(
    ("vat", "part", "gross", "share"),
    [(13_00, 51, 78_00, 9), (156, 201, 936, 34), (-156, 201, 936, -34), (156, -201, -936, 34)],
)
def test_the_share_of_a_part_is_half_up_to_the_penny(vat: int, part: int, gross: int, share: int) -> None:
    assert half_up(vat * part, gross) == share


@given(pence)
def test_a_credit_is_rounded_like_its_invoice(amount: int) -> None:
    assert half_up(-amount * 115, 10_000) == -half_up(amount * 115, 10_000)


@pytest.mark.parametrize("wrong", [1.0, "1", Decimal(1), True])
def test_money_is_whole_pence(wrong: object) -> None:
    with pytest.raises(TypeError):
        Money(wrong)  # type: ignore[arg-type]


def test_money_reads_as_pounds() -> None:
    assert [str(Money(value)) for value in (118_800, -5, 0)] == ["£1,188.00", "-£0.05", "£0.00"]


@pytest.mark.parametrize(
    "wrong",
    [1.25, True, None, -1, Decimal("NaN"), Decimal(101), Decimal("0.1234567"), "", "a", "101", "-1", "-0", "NaN",
     "0.1234567", "1e1", "1_0", " 1 ", "1.", ".5", "١", "0" * 20 + "1"],
)  # fmt: skip
def test_a_rate_is_a_decimal_string_of_percent(wrong: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Percent).validate_python(wrong)


def test_a_rate_travels_as_it_was_written() -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(Percent)
    assert adapter.dump_json(adapter.validate_json('"1.00"')) == b'"1.00"'


@pytest.mark.parametrize(("given_as", "rate"), [("20", "20"), ("1.25", "1.25"), ("100.000000", "100")])
def test_a_rate_may_be_text_a_decimal_or_a_whole_number(given_as: str, rate: str) -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(Percent)
    assert adapter.validate_python(given_as) == adapter.validate_python(Decimal(given_as)) == Decimal(rate)
    assert adapter.validate_python(20) == Decimal(20)
