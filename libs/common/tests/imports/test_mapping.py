from datetime import date

import pytest
from council_common.imports import MappedField, Mapping
from pydantic import ValidationError


def test_columns_match_without_capitals_spaces_and_punctuation() -> None:
    mapping = Mapping(fields=(MappedField(name="net", columns=("Amount", "Net Amount")),))
    for spelling in (" NetAmount ", "net_amount", "NET-AMOUNT", "Net  Amount."):
        assert mapping.bind(["x", spelling]).source_of("net") == "Net Amount"
    # The first alternative that the file has is taken.
    assert mapping.bind(["Net Amount", "Amount"]).columns[0].index == 1


def test_a_column_serves_one_field_only() -> None:
    mapping = Mapping(
        fields=(
            MappedField(name="purpose", columns=("Detail", "Category")),
            MappedField(name="category", columns=("Category",)),
        )
    )
    assert mapping.bind(["Category"]).source_of("category") is None
    assert mapping.bind(["Category", "Detail"]).source_of("category") == "Category"


def test_defaults_blanks_and_absent_columns() -> None:
    mapping = Mapping(
        fields=(
            MappedField(name="paid_on", columns=("Paid",), kind="date", default="2024-01-31"),
            MappedField(name="vat", columns=("VAT",), kind="money", blanks=("N/A",)),
            MappedField(name="note", columns=("Note",)),
        )
    )
    binding = mapping.bind(["Paid", "VAT"])
    assert binding.take(["", "n/a"]) == (date(2024, 1, 31), None, None)
    assert binding.take(["1/2/2024", "2"]) == (date(2024, 2, 1), 200, None)


def test_extra_cells_are_refused_or_left_out() -> None:
    field = MappedField(name="number", columns=("Number",), presence="value")
    binding = Mapping(fields=(field,), extra_cells="ignore").bind(["Number"])
    assert binding.take(["A1", "working"]) == ("A1",)
    strict = Mapping(fields=(field,)).bind(["Number"])
    assert strict.take(["A1", "", " ", "#N/A"]) == ("A1",)
    with pytest.raises(ValueError, match="2 fields"):
        strict.take(["A1", "working"])


def test_ambiguous_columns_are_reported_by_number() -> None:
    [doubt] = Mapping(fields=(MappedField(name="net", columns=("Net",)),)).bind(["Net", "x", "net "]).doubts
    assert (doubt.field, doubt.candidates) == ("net", ("1", "3"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"fields": []},
        {"fields": [{"name": "a", "columns": ["A"]}, {"name": "a", "columns": ["B"]}]},
        {"fields": [{"name": "a", "columns": ["A"]}], "amount": "a"},
        {"fields": [{"name": "a", "columns": ["A"]}], "amount": "b"},
        {"fields": [{"name": "a", "columns": ["A"], "kind": "date", "default": "soon"}]},
        {"fields": [{"name": "A b", "columns": ["A"]}]},
        {"fields": [{"name": "a", "columns": []}]},
        {"fields": [{"name": "a", "columns": ["A"], "surprise": 1}]},
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Mapping.model_validate(wrong)
