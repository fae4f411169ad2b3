"""What a request may hold, in every service (docs/api.md): strict numbers, truth values, forms with words."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

import pytest
from council_common.fields import PRINTABLE, WITHOUT_NUL, RequestModel
from council_common.web.query_models import QueryModel
from pydantic import BaseModel, TypeAdapter, ValidationError

SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")
T = TypeVar("T", bound=BaseModel)


def request_models(name: str) -> list[type[RequestModel]]:
    """What the callers of a service send as a body."""
    return models_of(name, RequestModel)


def models_of(name: str, base: type[T]) -> list[type[T]]:
    """A service's models of one kind, and those of the frame."""
    package = importlib.import_module(f"{name}_service")
    for module in pkgutil.walk_packages(package.__path__, f"{name}_service."):
        if module.name.rsplit(".", 1)[-1] in {"schemas", "lists", "mappings"}:
            importlib.import_module(module.name)
    models = list(base.__subclasses__())
    for model in models:
        models += model.__subclasses__()
    return [model for model in models if model.__module__.startswith((package.__name__, "council_common."))]


def lenient(schema: Any, field: str = "") -> Iterator[str]:
    """The fields of pydantic's schema of a model that would take text for a number, or a number for a truth value."""
    if isinstance(schema, dict):
        if schema.get("type") in {"int", "float", "bool"} and not schema.get("strict"):
            yield f"{field}: {schema['type']}"
        for key, value in schema.items():
            if key == "fields" and isinstance(value, dict):
                for name, inner in value.items():
                    yield from lenient(inner, f"{field}.{name}".lstrip("."))
            elif key not in {"metadata", "serialization"}:
                yield from lenient(value, field)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from lenient(value, field)


@pytest.mark.parametrize("name", SERVICES)
def test_numbers_and_truth_values_of_requests_are_strict(name: str) -> None:
    models = request_models(name)
    assert models
    found = {f"{model.__name__}.{field}" for model in models for field in lenient(model.__pydantic_core_schema__)}
    assert sorted(found) == []


def patterns(schema: Any) -> Iterator[str]:
    """The patterns that pydantic itself checks: a refusal by one of them has no words of its field."""
    if isinstance(schema, dict):
        if schema.get("type") == "str" and "pattern" in schema:
            yield schema["pattern"]
        for key, value in schema.items():
            if key not in {"metadata", "serialization"}:
                yield from patterns(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from patterns(value)


@pytest.mark.parametrize("name", SERVICES)
def test_no_refusal_shows_a_regular_expression(name: str) -> None:
    models = [*models_of(name, RequestModel), *models_of(name, QueryModel)]
    found = {pattern for model in models for pattern in patterns(model.__pydantic_core_schema__)}
    assert PRINTABLE in found
    assert found <= {PRINTABLE, WITHOUT_NUL}


A_NOTE, AN_ACCOUNT = "A plain sentence of 9 March 2026", "His account is 20-55-41 91734268"
# What is kept as a bank sent it and goes no further; the council's own account stands in letters.
MAY_HOLD_ACCOUNTS = {"ReceiptIn.payer_reference"} | {
    f"{template}.{words}" for template in ("TemplateIn", "TemplateVersionIn") for words in ("subject", "text", "html")
}
# What systems record: a whole account is refused, six or eight digits alone are not.
RECORDED = {"SupplierIn.name", "CustomerIn.name", "PaymentIn.reference"}


def texts(model: type[BaseModel]) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """The fields of a model that take any sentence, each by its name with its validation."""
    for name, field in model.model_fields.items():
        whole: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        adapter = TypeAdapter(whole)
        free = WITHOUT_NUL in set(patterns(adapter.core_schema))
        if (free or f"{model.__name__}.{name}" in RECORDED) and f"{model.__name__}.{name}" not in MAY_HOLD_ACCOUNTS:
            try:
                adapter.validate_python(A_NOTE[:18])
            except ValidationError:
                continue
            yield name, adapter


@pytest.mark.parametrize("name", SERVICES)
def test_bank_details_are_refused_in_every_free_text(name: str) -> None:
    tried = set()
    for model in request_models(name):
        for field, adapter in texts(model):
            given = "205541-91734268" if field == "reference" else AN_ACCOUNT
            with pytest.raises(ValidationError) as refused:
                adapter.validate_python(given)
            assert {error["type"] for error in refused.value.errors()} == {"bank_account_in_text"}, (model, field)
            assert "91734268" not in str([error["msg"] for error in refused.value.errors()])
            tried.add(f"{model.__name__}.{field}")
    own = {"supplier": "SupplierIn.name", "invoice": "PaymentIn.reference", "debt": "CustomerIn.name"}
    assert own.get(name, "NoteIn.note") in tried, tried
