"""Every refused field is named with what would be right, and never with what it held."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from council_common.fields import PRINTABLE, WITHOUT_NUL, Form
from council_common.money import Percent
from council_common.web.field_errors import field_error
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

VISIBLE = "text without control, zero-width and text-direction characters"


class Way(StrEnum):
    NET = "net"
    GROSS = "gross"


def _sort_code(given: str) -> str:
    raise ValueError("not a sort code; expected 6 digits")


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    system: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=9, min_length=2)] = "erp"
    note: Annotated[str, StringConstraints(min_length=1, pattern=WITHOUT_NUL)] = "a"
    code: Annotated[str, Form(r"^[a-z]+$", "small letters, such as abc")] = "a"
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")] = "a@b"
    pence: Annotated[int, Field(ge=0, le=10_000)] = 0
    net_pence: int = 0
    on: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2026, 12, 31))] = date(2026, 1, 31)
    at: AwareDatetime | None = None
    id: UUID | None = None
    way: Way = Way.NET
    kind: Literal["a", "b"] = "a"
    rate: Percent | None = None
    sort_code: Annotated[str, AfterValidator(_sort_code)] = ""
    parts: Annotated[list[int], Field(max_length=1)] = []
    ways: set[Way] = set()
    yes: bool = True


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"system": "a\tb"}, "system", VISIBLE),
        *(
            ({"system": f"SECRET{mark}"}, "system", VISIBLE)
            for mark in "\u200b\u200f\u202a\u202e\u2066\u2069\ufeff\u00ad\u2028\u2029\u2060\x85"
        ),
        ({"note": "SECRET\0"}, "note", "text without it"),
        ({"note": ""}, "note", "at least 1 character"),
        ({"email": "SECRET"}, "email", None),
        ({"system": "SECRET-12345"}, "system", "at most 9 characters"),
        ({"system": "S"}, "system", "at least 2 characters"),
        ({"system": 5}, "system", "text"),
        ({"code": "SECRET"}, "code", "small letters, such as abc"),
        ({"pence": -1}, "pence", "from 0"),
        ({"pence": 10_001}, "pence", "up to 10000"),
        ({"pence": "SECRET"}, "pence", "a whole number"),
        ({"pence": 1.5}, "pence", "a whole number"),
        ({"on": "31/01/2026"}, "on", "a date such as 2026-01-31"),
        ({"on": "1990-01-01"}, "on", "2000-01-01 or later"),
        ({"on": "2027-01-01"}, "on", "2026-12-31 or earlier"),
        ({"at": "SECRET"}, "at", "a time such as 2026-01-31T09:30:00Z"),
        ({"at": "2026-01-31T09:30"}, "at", "a time such as 2026-01-31T09:30:00Z"),
        ({"id": "SECRET"}, "id", "an id such as 0195a1b2-0000-7000-8000-0000000000e0"),
        ({"way": "SECRET"}, "way", "'net' or 'gross'"),
        ({"kind": "SECRET"}, "kind", "'a' or 'b'"),
        ({"sort_code": "SECRET"}, "sort_code", "6 digits"),
        ({"parts": [1, 2]}, "parts", "at most 1"),
        ({"parts": "SECRET"}, "parts", "a list"),
        ({"ways": "SECRET"}, "ways", "a list"),
        ({"system": "SECRET\ud800"}, "system", "text of whole characters"),
        ({"yes": "SECRET"}, "yes", "true or false"),
        ({"other": "SECRET"}, "other", "only the fields of this resource"),
        ({"net_pence": 10.5}, "net_pence", "whole pence, such as 120000 for £1,200.00"),
        ({"rate": "SECRET"}, "rate", 'a decimal string of percent with at most six places, for example "1.25"'),
        ({"rate": "101"}, "rate", "0 to 100"),
    ],
)
def test_what_would_be_right_is_said(given: dict[str, Any], field: str, expected: str | None) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent.model_validate(given)
    [error] = [field_error(each) for each in refused.value.errors()]
    assert (error.field, error.expected) == (field, expected)
    assert error.problem
    assert "SECRET" not in str(error)


@pytest.mark.parametrize("given", ["foo", "a b@c.d", ""])
def test_a_text_of_another_form_is_not_said_to_have_control_characters(given: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent.model_validate({"email": given})
    [error] = [field_error(each) for each in refused.value.errors()]
    assert (error.problem, error.expected) == ("not of the right form", None)


def test_a_name_that_is_refused_is_said_to_be_the_name() -> None:
    names = TypeAdapter(dict[Annotated[str, Form(r"^[a-z]+$", "small letters, such as abc")], int])
    with pytest.raises(ValidationError) as refused:
        names.validate_python({"A": 1})
    [error] = [field_error(each) for each in refused.value.errors()]
    assert (error.field, error.problem) == ("A", "its name is wrong: not of the right form")


def test_where_it_was_is_said_as_the_caller_wrote_it() -> None:
    detail = {"type": "missing", "loc": ("body", "lines", 0, "net_pence"), "msg": "Field required"}
    error = field_error(detail)
    assert (error.field, error.problem, error.expected) == ("lines.0.net_pence", "missing", "a value")
