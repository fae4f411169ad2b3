from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from council_common.errors import SourceReferenceTaken
from council_common.fields import Moment, SourceIn
from pydantic import TypeAdapter, ValidationError


def test_a_refused_request_does_not_repeat_its_values() -> None:
    with pytest.raises(ValidationError) as refused:
        SourceIn.model_validate({"system": "erp", "reference": "", "account_number": "91734268"})
    assert {error["loc"] for error in refused.value.errors()} == {("reference",), ("account_number",)}
    assert "91734268" not in str(refused.value)


def test_a_taken_source_reference_names_the_fields_that_differ() -> None:
    taken = SourceReferenceTaken("supplier", record_id=7, fields=["name", "address"])
    assert [error.field for error in taken.errors] == ["source.reference", "name", "address"]
    assert taken.extra == {"id": "7", "fields": ["name", "address"]}


@pytest.mark.parametrize(
    "given",
    [
        "2026-03-11T09:30:00Z",
        "2026-03-11T10:30:00+01:00",
        datetime(2026, 3, 11, 4, 30, tzinfo=timezone(-timedelta(hours=5))),
    ],
)
def test_a_time_is_that_of_utc(given: Any) -> None:
    moment = TypeAdapter(Moment).validate_python(given)
    assert (moment, moment.tzinfo) == (datetime(2026, 3, 11, 9, 30, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "given",
    [
        *("2026-03-11T09:30:00", "2026-03-11", "1773187200", 1773187200, "1e9", "", True),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z"),
    ],
)
def test_what_is_no_time_of_a_zone_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(given)
