"""Many things in one request: each line has its own outcome, a bad line never stops the good ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from council_common.errors import BusinessError, Conflict, FieldError, Malformed
from council_common.web.problems import ProblemFieldOut, field_error
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

MAX_LINES = 5_000
MAX_FAULTS = 100

T = TypeVar("T", bound=BaseModel)


class SourceReused(Conflict):
    """The source reference is known with other content."""

    code = "source-reused"

    def __init__(self, expected: str = "a new reference") -> None:
        problem = "this source reference is known with other content"
        errors = [FieldError("source.reference", problem, expected)]
        super().__init__("This source reference is known with other content.", errors=errors)


def content_hash(new: Any) -> str:
    """The SHA-256 of what a source sent first (a dataclass), by which repeated content is recognised.

    The record itself moves on (a customer is changed, a receipt's customer is found), so it cannot be compared. Absent
    fields are left out: a field the schema gains later changes no hash.
    """
    named = {name: value for name, value in asdict(new).items() if value is not None}
    content = json.dumps(named, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


class BulkIn(BaseModel):
    """Up to 5,000 lines of the form the single POST takes."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_LINES)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one line (1 is the first), with its `refusal` where a rule refused it."""

    line: int
    result: Literal["created", "existing", "refused"]
    id: UUID | None = None
    refusal: BusinessError | None = None

    def raise_if_refused(self) -> UUID:
        """The id; raises the refusal, which a POST of one thing answers with its own status."""
        if self.refusal is not None:
            raise self.refusal
        if self.id is None:
            raise ValueError("a line that was not refused has an id")
        return self.id


def refused(line: int, refusal: BusinessError) -> Outcome:
    """A line that a rule refused."""
    return Outcome(line, "refused", refusal=refusal)


class LineOut(BaseModel):
    """The outcome of one line."""

    line: int
    outcome: Literal["created", "existing", "refused"]
    id: UUID | None
    code: str | None
    errors: list[ProblemFieldOut]


class BulkOut(BaseModel):
    """Counts, and one outcome a line in the order of the request."""

    created: int
    existing: int
    refused: int
    items: list[LineOut]

    @staticmethod
    def of(outcomes: Sequence[Outcome]) -> BulkOut:
        results = [outcome.result for outcome in outcomes]
        return BulkOut(
            created=results.count("created"),
            existing=results.count("existing"),
            refused=results.count("refused"),
            items=[
                LineOut(
                    line=outcome.line,
                    outcome=outcome.result,
                    id=outcome.id,
                    code=outcome.refusal.code if outcome.refusal else None,
                    errors=[ProblemFieldOut(**error.as_dict()) for error in outcome.refusal.errors]
                    if outcome.refusal
                    else [],
                )
                for outcome in sorted(outcomes, key=lambda outcome: outcome.line)
            ],
        )


def read_lines(model: type[T], items: Sequence[Any]) -> tuple[list[tuple[int, T]], list[Outcome]]:
    """The lines that have the right form, with their numbers, and the outcomes of those that have not."""
    try:
        return list(enumerate(TypeAdapter(list[model]).validate_python(items), start=1)), []  # type: ignore[valid-type]
    except ValidationError:
        pass
    good: list[tuple[int, T]] = []
    bad: list[Outcome] = []
    for line, item in enumerate(items, start=1):
        try:
            good.append((line, model.model_validate(item)))
        except ValidationError as wrong:
            bad.append(refused(line, Malformed("This line does not have its form.", errors=_faults(wrong))))
    return good, bad


def _faults(wrong: ValidationError) -> list[FieldError]:
    """The first faults of a line; of one with more than 100 (a million unknown fields) only that."""
    if wrong.error_count() > MAX_FAULTS:
        return [FieldError("items", f"has more than {MAX_FAULTS} faults in one line", "the fields of its kind")]
    return [field_error(error) for error in wrong.errors(include_url=False, include_input=False)[:20]]
