"""The vocabulary of input: each kind of field once, with one range and one strictness, in every service.

A column's kind is in `database/columns.py`, an event's in `contracts/fields.py`; a list's filters take these, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, LiteralString, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from council_common.accounts_in_text import holds_whole_account, may_hold_account
from council_common.contact_details.characters import plain_lines, visible_words
from council_common.contact_details.email_addresses import email_address
from council_common.contact_details.postal_addresses import letter_address, name_on_a_letter, normal_postcode
from council_common.money import MAX_PENCE

PRINTABLE = (
    r"^[^\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb]+$"
)
"""No control characters nor ends of lines, and none that make a text read as another: of no width (byte order mark,
soft hyphen), or of writing direction."""
WITHOUT_NUL = r"^[^\x00]*$"
"""A text of lines and paragraphs that PostgreSQL keeps."""
EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)
"""Far enough for every fact a council still holds, near enough to count on from."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXPECTED_TIME = "expected a time such as 2026-01-31T09:30:00Z"


class RequestModel(BaseModel):
    """What a caller sends: a field that is not known is a mistake, not a decoration. Refused values are never shown."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a text, and what a refusal says of it: `Annotated[str, Form(r"^[a-z]+$", "small letters")]`."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = re.compile(self.pattern).fullmatch

        def check(text: str) -> str:
            if whole(text) is None:
                raise ValueError(f"not of the right form; expected {self.expected}")
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}


def _only_a_day(value: object) -> object:
    # Pydantic also takes seconds since 1970, a time at midnight, and digits in a string.
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    if type(value) is date:
        return value
    raise ValueError("is not a date; expected a date such as 2026-01-31")


def _in_range(day: date) -> date:
    if day < EARLIEST:
        raise ValueError(f"is before {EARLIEST}; expected a date from {EARLIEST} to {LATEST}")
    if day > LATEST:
        raise ValueError(f"is after {LATEST}; expected a date from {EARLIEST} to {LATEST}")
    return day


def _only_a_time(value: object) -> object:
    # Pydantic also takes seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and _DAY.match(value)):
        return value
    raise ValueError(f"is not a time; {_EXPECTED_TIME}")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"is no time of UTC; {_EXPECTED_TIME}") from None


Day = Annotated[
    date,
    BeforeValidator(_only_a_day, json_schema_input_type=date),
    AfterValidator(_in_range),
    Field(json_schema_extra={"formatMinimum": str(EARLIEST), "formatMaximum": str(LATEST)}),
]
"""A date of the council's calendar, written 2026-03-31."""

Moment = Annotated[
    AwareDatetime, BeforeValidator(_only_a_time, json_schema_input_type=AwareDatetime), AfterValidator(_in_utc)
]
"""A time with its zone, written 2026-01-31T09:30:00Z."""

Pence = Annotated[StrictInt, Field(ge=-MAX_PENCE, le=MAX_PENCE, description="Whole pence.")]
PositivePence = Annotated[StrictInt, Field(ge=1, le=MAX_PENCE, description="Whole pence.")]
PenceOrZero = Annotated[StrictInt, Field(ge=0, le=MAX_PENCE, description="Whole pence.")]
PenceFilter = Annotated[int, Field(ge=-MAX_PENCE, le=MAX_PENCE, description="Whole pence.")]
"""An amount in a query, where every value is text."""

Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    Form(r"^[a-z0-9][a-z0-9_-]*$", "small letters, digits, _ and -, such as market_pitch"),
]
"""A word for programs: `market_pitch`."""
ShortName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=PRINTABLE)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]


def _no_account(text: str) -> str:
    if may_hold_account(text):
        raise PydanticCustomError(ACCOUNT_IN_TEXT, _NO_DIGITS)
    return text


def _no_whole_account(text: str) -> str:
    if holds_whole_account(text):
        raise PydanticCustomError(ACCOUNT_IN_TEXT, _NO_DETAILS)
    return text


ACCOUNT_IN_TEXT = "bank_account_in_text"
"""The kind of error of a text with bank details: it is kept and shown for good, and the account would be, too."""
_NO_DIGITS: LiteralString = (
    "digits that may be bank details; expected no 6 or 8 digits together: a day as 9 March 2026, "
    "a file's number with a slash, 2026/0311"
)
_NO_DETAILS: LiteralString = "bank details; expected no sort code with an account number, and no IBAN"

PLAIN_LINES = BeforeValidator(
    lambda text: plain_lines(text) if isinstance(text, str) else text, json_schema_input_type=str
)
"""Free text as it reads: what nobody sees is taken away, and only "\\n" ends a line."""

WITHOUT_ACCOUNT = AfterValidator(_no_account)
"""For what a person writes: nothing that may be a sort code or an account number. What a pasted e-mail brings."""
WITHOUT_WHOLE_ACCOUNT = AfterValidator(_no_whole_account)
"""For what a system records, where six or eight digits may be a fact: no sort code with its account number, no IBAN."""

Sentence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=WITHOUT_NUL),
    WITHOUT_ACCOUNT,
    PLAIN_LINES,
]
"""What a person writes to explain: lines and paragraphs are fine, bank details are not."""
OptionalText = Annotated[
    str, StringConstraints(max_length=1000, pattern=WITHOUT_NUL), WITHOUT_WHOLE_ACCOUNT, PLAIN_LINES
]
"""Words that may be missing: a line's description."""
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=WITHOUT_NUL),
    WITHOUT_WHOLE_ACCOUNT,
    PLAIN_LINES,
]
"""What a charge or a decision is called, as its system has it."""
TextFilter = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
"""What a list is narrowed to: any text that a column can hold."""


EmailAddress = Annotated[
    str, Field(max_length=300, examples=["accounts@ardley-paving.example"]), AfterValidator(email_address)
]


def _as_it_reads(value: object) -> object:
    return visible_words(value) if isinstance(value, str) else value


VisibleName = Annotated[Name, BeforeValidator(_as_it_reads, json_schema_input_type=str), WITHOUT_WHOLE_ACCOUNT]
"""A name as it reads: what nobody sees, copied out of a web page or a spreadsheet, is taken away."""
AddresseeName = Annotated[VisibleName, AfterValidator(name_on_a_letter)]
"""The name of somebody who gets letters: it can be the first line of an address."""


class AddressIn(RequestModel):
    """A postal address that a letter can be sent to, as GOV.UK Notify judges: with the name 3 to 7 lines, the last a
    real UK postcode (in its own field or in a line) or a country. Invisible characters are taken away."""

    lines: Annotated[
        list[VisibleName], Field(min_length=1, max_length=6, examples=[["Unit 4, Station Yard", "Ardley"]])
    ]
    postcode: Annotated[
        Annotated[ShortName, BeforeValidator(_as_it_reads, json_schema_input_type=str)] | None,
        Field(max_length=10, examples=["NR9 4AB"]),
    ] = None

    @model_validator(mode="after")
    def _takes_a_letter(self) -> Self:
        letter_address("A Name", self.lines, self.postcode)
        self.postcode = self.postcode and (normal_postcode(self.postcode) or self.postcode)
        return self


class NoteIn(RequestModel):
    """Why, in a sentence for the history."""

    note: Sentence


class SourceIn(RequestModel):
    """Where a record comes from: the system and its key there. The pair makes a repeated request harmless."""

    model_config = ConfigDict(frozen=True)

    system: ShortName
    reference: Name
