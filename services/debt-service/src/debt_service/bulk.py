"""Many things in one request: each line has its own outcome, a bad line never stops the good ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from council_common.errors import BusinessError, Conflict, FieldError, Malformed
from council_common.web.problems import ProblemFieldOut, field_error
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

MAX_LINES = 5_000

T = TypeVar("T", bound=BaseModel)


class SourceReused(Conflict):
    """The source reference is known with other content."""

    code = "source-reused"


class BulkIn(BaseModel):
    """Up to 5,000 lines, each as the single POST takes it."""

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_LINES)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line (1 is the first). `code` and `errors` say why it was refused."""

    line: int
    result: Literal["created", "existing", "refused"]
    id: UUID | None = None
    code: str | None = None
    errors: tuple[FieldError, ...] = ()

    def raise_if_refused(self) -> UUID:
        """The id, or the refusal as an error: what a POST of one thing answers."""
        if self.id is not None and self.result != "refused":
            return self.id
        error: type[BusinessError] = Malformed if self.code == "malformed" else Conflict
        refusal = error("; ".join(each.problem for each in self.errors) or "Refused.", errors=self.errors)
        refusal.code = self.code or refusal.code
        raise refusal


def refused(line: int, code: str, field: str, problem: str, expected: str | None = None) -> Outcome:
    """A line that a rule refused."""
    return Outcome(line, "refused", code=code, errors=(FieldError(field, problem, expected),))


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
        results = [each.result for each in outcomes]
        return BulkOut(
            created=results.count("created"),
            existing=results.count("existing"),
            refused=results.count("refused"),
            items=[
                LineOut(
                    line=each.line,
                    outcome=each.result,
                    id=each.id,
                    code=each.code,
                    errors=[ProblemFieldOut(**error.as_dict()) for error in each.errors],
                )
                for each in sorted(outcomes, key=lambda outcome: outcome.line)
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
            errors = tuple(field_error(each) for each in wrong.errors()[:20])
            bad.append(Outcome(line, "refused", code="malformed", errors=errors))
    return good, bad
