from decimal import Decimal

import pytest
from council_common.money import Money, Percent, total
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

pence = st.integers(min_value=-(10**13), max_value=10**13)


@pytest.mark.parametrize(
    ("amount", "rate", "result"),
    [
        (81_235, "0.0085", 690),  # payables.md §1.3, rounding: £812.35 at 0.85 % is £6.90
        (14_999, "0.0085", 127),
        (5_000, "0.0085", 43),  # 42.5 pence: half up
        (118_231, "0.0085", 1005),
        (-5_000, "0.0085", -43),  # a credit mirrors its invoice
        (1, "0.5", 1),
    ],
)
def test_the_only_rounding_is_half_up(amount: int, rate: str, result: int) -> None:
    assert Money(amount).times(Decimal(rate)) == Money(result)


@given(pence, st.integers(min_value=1, max_value=500))
def test_parts_sum_to_the_whole(amount: int, parts: int) -> None:
    split = Money(amount).split(parts)
    assert total(split) == Money(amount)
    assert len(split) == parts
    assert len({part.pence for part in split[:-1]}) <= 1


@given(pence)
def test_a_credit_is_rounded_like_its_invoice(amount: int) -> None:
    assert Money(-amount).times(Decimal("0.0115")) == -Money(amount).times(Decimal("0.0115"))


@pytest.mark.parametrize("wrong", [1.0, "1", Decimal(1), True])
def test_money_is_whole_pence(wrong: object) -> None:
    with pytest.raises(TypeError):
        Money(wrong)  # type: ignore[arg-type]


def test_money_reads_as_pounds() -> None:
    assert [str(Money(value)) for value in (118_800, -5, 0)] == ["£1,188.00", "-£0.05", "£0.00"]


@pytest.mark.parametrize("wrong", [1.25, "a", "101", "-1", "NaN", "0.1234567"])
def test_a_rate_is_a_decimal_string_of_percent(wrong: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Percent).validate_python(wrong)


def test_a_rate_travels_as_it_was_written() -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(Percent)
    assert adapter.dump_json(adapter.validate_json('"1.00"')) == b'"1.00"'
