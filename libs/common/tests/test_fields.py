import pytest
from council_common.errors import SourceReferenceTaken
from council_common.fields import SourceIn
from pydantic import ValidationError


def test_a_refused_request_does_not_repeat_its_values() -> None:
    with pytest.raises(ValidationError) as refused:
        SourceIn.model_validate({"system": "erp", "reference": "", "account_number": "91734268"})
    assert {error["loc"] for error in refused.value.errors()} == {("reference",), ("account_number",)}
    assert "91734268" not in str(refused.value)


def test_a_taken_source_reference_names_the_fields_that_differ() -> None:
    taken = SourceReferenceTaken("supplier", record_id=7, fields=["name", "address"])
    assert [error.field for error in taken.errors] == ["source.reference", "name", "address"]
    assert taken.extra == {"id": "7", "fields": ["name", "address"]}
