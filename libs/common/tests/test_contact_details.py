"""Contact details are judged once, when they are entered, by the rule of the carrier (case R8)."""

from __future__ import annotations

from typing import Any

import pytest
from council_common.contact_details.characters import plain_lines, visible_words
from council_common.fields import (
    AddresseeName,
    AddressIn,
    Description,
    EmailAddress,
    Name,
    OptionalText,
    RequestModel,
    Sentence,
    ShortName,
    TextFilter,
    VisibleName,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

HIDDEN = ("\u200b", "\ufeff", "\u00ad", "\u200f", "\u2060", "\u180e", "\u202e", "\U000e0041")


class _Person(RequestModel):
    name: AddresseeName = "Mary Ames"
    firm: VisibleName = "Ames Ltd"
    email: EmailAddress = "jo@example.org"
    address: AddressIn | None = None


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_nobody_sees_is_taken_away(hidden: str) -> None:
    person = _Person.model_validate(
        {
            "name": f"{hidden}Ma{hidden}ry Ames",
            "firm": f"Ames{hidden} Ltd",
            "email": f"jo@exam{hidden}ple.org{hidden}",
            "address": {"lines": [f"4 Mill{hidden} Lane", f"{hidden}Ashford"], "postcode": f"tn23{hidden}1aa"},
        }
    )
    assert person.address is not None
    assert (person.name, person.firm, person.email) == ("Mary Ames", "Ames Ltd", "jo@example.org")
    assert (person.address.lines, person.address.postcode) == (["4 Mill Lane", "Ashford"], "TN23 1AA")


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1e"])
def test_the_end_of_a_line_that_only_programs_know_is_a_space(end: str) -> None:
    assert _Person.model_validate({"name": f"Mary{end}Ames"}).name == "Mary Ames"
    assert plain_lines(f"Pay £5{end}or nothing\r\nToday") == "Pay £5 or nothing\nToday"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"lines": ["1", "2", "3", "4", "5", "6"], "postcode": "TN23 1AA"}, "is too long for a letter"),
        ({"lines": ["4 Mill Lane", "Ashford"]}, "has no postcode and no country"),
        ({"lines": ["4 Mill Lane", "London"], "postcode": "E1 OAA"}, "has no postcode of the United Kingdom"),
        ({"lines": ["Ashford"], "postcode": "Kent"}, "has no postcode of the United Kingdom"),
        ({"lines": ["TN23 1AA"]}, "is too short for a letter"),
        ({"lines": ["4 Mill Lane", "TN23 1AA", "Kent"], "postcode": "TN23 1AB"}, "has two postcodes"),
        ({"lines": ["=4 Mill Lane", "Kent"], "postcode": "TN23 1AA"}, "has a line that begins with"),
        ({"lines": ["No fixed abode", "Kent"], "postcode": "TN23 1AA"}, "is no place"),
        ({"lines": ["4 Mill Lane\nKent", "x"], "postcode": "TN23 1AA"}, "String should match pattern"),
    ],
)
def test_an_address_that_no_carrier_takes_is_refused_when_it_is_entered(address: Any, problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AddressIn.model_validate(address)
    assert problem in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "address",
    [
        {"lines": ["4 Mill Lane", "TN23 1AA", "Kent"]},
        {"lines": ["4 Mill Lane", "Ashford"], "postcode": "TN23 1AA"},
        {"lines": ["12 rue de la Paix", "75002 Paris", "France"]},
        {"lines": ["1 Eden Quay", "Dublin", "Ireland"], "postcode": "D01 F5P2"},
    ],
)
def test_an_address_that_a_carrier_takes_is_taken(address: Any) -> None:
    AddressIn.model_validate(address)


def test_a_name_that_no_letter_can_begin_with_is_refused() -> None:
    with pytest.raises(ValidationError, match="begins with"):
        _Person.model_validate({"name": "@Mary"})


@given(st.text(max_size=80))
def test_words_in_a_line_are_one_line_and_stay_as_they_are(text: str) -> None:
    line = visible_words(text.replace("\n", " ").replace("\r", " "))
    assert len(line.splitlines()) <= 1
    assert visible_words(line) == line
    assert plain_lines(text).splitlines() == plain_lines(text).removesuffix("\n").split("\n") or not plain_lines(text)


@pytest.mark.parametrize("kind", [Sentence, OptionalText, Description])
def test_r8_free_text_is_kept_as_it_reads(kind: Any) -> None:
    """Pasted out of Word and web pages: what nobody sees is taken away, and one sign ends a line."""
    pasted = "\ufeffMrs Am\u00ades\u200b rang.\r\nShe\u2028paid."
    assert TypeAdapter(kind).validate_python(pasted) == "Mrs Ames rang.\nShe paid."


@pytest.mark.parametrize("kind", [ShortName, Name, TextFilter])
@pytest.mark.parametrize("mark", ["\ufeff", "\u00ad", "\u2028", "\u2029", "\u2060", "\u200b", "\x85"])
def test_r8_names_and_references_hold_nothing_that_nobody_sees(kind: Any, mark: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(f"R000{mark}0123")
