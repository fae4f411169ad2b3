"""Many things in one request: each item has a verdict of its own, a bad one never stops the good ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from council_common.errors import BusinessError, FieldError, Malformed
from council_common.fields import RequestModel
from council_common.web.field_errors import field_error
from council_common.web.problems import ProblemFieldOut

MAX_ITEMS = 5_000
MAX_FAULTS = 100

Result = Literal["created", "existing", "done", "refused"]
T = TypeVar("T", bound=BaseModel)


class BulkIn(RequestModel):
    """Up to 5,000 items, each as the single request takes it: `class SuppliersIn(BulkIn, of=SupplierIn)`.

    Items are read one by one, so that a wrong one is refused alone.
    """

    item: ClassVar[type[BaseModel]]

    items: Annotated[list[Any], Field(min_length=1, max_length=MAX_ITEMS)]

    def __init_subclass__(cls, **_: Any) -> None:
        """Takes the class arguments that `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, *, of: type[BaseModel] = BaseModel, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.item = of

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        schema["properties"]["items"]["items"] = {"$ref": f"#/components/schemas/{cls.item.__name__}"}
        return schema


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item (0 is the first); `refusal` says why nothing did."""

    index: int
    result: Result
    id: UUID | None = None
    refusal: BusinessError | None = None

    def id_or_refusal(self) -> UUID:
        """The id; raises the refusal: what a request for one thing answers, with its own status."""
        if self.refusal is not None:
            raise self.refusal
        if self.id is None:
            raise ValueError("an item that was not refused has an id")
        return self.id


def refused(index: int, refusal: BusinessError) -> Outcome:
    """An item that a rule refused."""
    return Outcome(index, "refused", refusal=refusal)


def read_items(model: type[T], items: Sequence[Any]) -> tuple[list[tuple[int, T]], list[Outcome]]:
    """The items that have the right form, with their index, and the outcomes of those that have not."""
    try:
        return list(enumerate(TypeAdapter(list[model]).validate_python(items))), []  # type: ignore[valid-type]
    except ValidationError:
        pass
    good: list[tuple[int, T]] = []
    bad: list[Outcome] = []
    for index, item in enumerate(items):
        try:
            good.append((index, model.model_validate(item)))
        except ValidationError as wrong:
            bad.append(refused(index, Malformed("This item does not have its form.", errors=_faults(wrong))))
    return good, bad


def _faults(wrong: ValidationError) -> list[FieldError]:
    """The first of an item's faults; of one made of nothing else (a million unknown fields) only that."""
    if wrong.error_count() > MAX_FAULTS:
        return [FieldError("items", f"has more than {MAX_FAULTS} faults in one item", "the fields of its kind")]
    return [field_error(error) for error in wrong.errors(include_url=False, include_input=False)[:20]]


class VerdictOut(BaseModel):
    """What became of one item: `index` counts from 0; `code`, `detail` and `errors` say why one was refused."""

    index: int
    outcome: Result
    id: UUID | None = None
    code: str | None = None
    detail: str | None = None
    errors: list[ProblemFieldOut] = []


class BulkOut(BaseModel):
    """Counts, and one verdict an item in the order of the request: `received` is the sum of the others."""

    received: int
    created: int
    existing: int
    done: int
    refused: int
    items: list[VerdictOut]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> BulkOut:
        """From outcomes in any order."""
        counts = Counter(outcome.result for outcome in outcomes)
        verdicts = [_verdict(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.index)]
        return cls(
            received=len(verdicts),
            created=counts["created"],
            existing=counts["existing"],
            done=counts["done"],
            refused=counts["refused"],
            items=verdicts,
        )


def _verdict(outcome: Outcome) -> VerdictOut:
    verdict = VerdictOut(index=outcome.index, outcome=outcome.result, id=outcome.id)
    if outcome.refusal is not None:
        verdict.code, verdict.detail = outcome.refusal.code, outcome.refusal.detail
        verdict.errors = [ProblemFieldOut(**error.as_dict()) for error in outcome.refusal.errors]
    return verdict
