"""A client written against a published document goes on working with the next one."""

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest

GENERATE = Path(__file__).parents[2] / "docs" / "contracts" / "generate.py"
spec = importlib.util.spec_from_file_location("generate", GENERATE)
assert spec is not None
assert spec.loader is not None
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)

Document = dict[str, Any]


def a_document() -> Document:
    line = {"type": "object", "properties": {"net_pence": {"type": "integer"}}, "required": ["net_pence"]}
    lines = {"type": "array", "items": {"$ref": "#/components/schemas/Line"}}
    invoice_in = {"type": "object", "properties": {"number": {"type": "string"}, "lines": lines}, "required": ["lines"]}
    invoice = {"type": "object", "properties": {"id": {"type": "string"}, "lines": lines}, "required": ["id"]}
    post = {
        "parameters": [{"in": "header", "name": "Idempotency-Key", "required": False}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/InvoiceIn"}}}},
        "responses": {
            "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/InvoiceOut"}}}},
            "422": {"content": {"application/problem+json": {}}},
        },
    }
    return {
        "paths": {"/v1/invoices": {"post": post}},
        "components": {"schemas": {"Line": line, "InvoiceIn": invoice_in, "InvoiceOut": invoice}},
    }


def changed(*path: str, to: Any) -> Document:
    """The document with one place made otherwise; None takes it away."""
    document = a_document()
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return document


SCHEMAS = ("components", "schemas")
POST = ("paths", "/v1/invoices", "post")


@pytest.mark.parametrize(
    ("new", "lost"),
    [
        (changed("paths", "/v1/invoices", to={}), ["POST /v1/invoices is gone"]),
        (changed(*SCHEMAS, "InvoiceOut", "properties", "id", to=None), ["POST /v1/invoices answers id no longer"]),
        (changed(*SCHEMAS, "InvoiceIn", "properties", "number", to=None), ["POST /v1/invoices takes number no longer"]),
        (
            changed(*SCHEMAS, "InvoiceIn", "required", to=["lines", "number"]),
            ["POST /v1/invoices must have number now"],
        ),
        (
            changed(*SCHEMAS, "Line", "properties", to={"gross_pence": {"type": "integer"}}),
            [
                "POST /v1/invoices answers lines[].net_pence no longer",
                "POST /v1/invoices takes lines[].net_pence no longer",
            ],
        ),
        (
            changed(*POST, "parameters", to=[{"in": "header", "name": "Idempotency-Key", "required": True}]),
            ["POST /v1/invoices must have header Idempotency-Key now"],
        ),
        (changed(*POST, "responses", "201", to=None), None),
    ],
)
def test_what_a_client_would_miss_is_found(new: Document, lost: list[str] | None) -> None:
    found = generate.taken_from_clients(a_document(), new)
    assert found == lost if lost is not None else "POST /v1/invoices answers 201 no longer" in found


@pytest.mark.parametrize(
    "new",
    [
        a_document(),
        changed(*SCHEMAS, "InvoiceOut", "properties", "paid_on", to={"type": "string"}),
        changed(*SCHEMAS, "InvoiceIn", "properties", "note", to={"type": "string"}),
        changed(*SCHEMAS, "InvoiceIn", "required", to=[]),
        changed("paths", "/v1/payments", to={"get": {"responses": {}}}),
    ],
)
def test_what_is_added_harms_no_client(new: Document) -> None:
    assert generate.taken_from_clients(a_document(), copy.deepcopy(new)) == []
