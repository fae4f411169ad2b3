"""A source system's name is used by the callers it is bound to, in every route that records under one."""

from typing import Any

import pytest
from council_common.fields import SourceIn
from council_common.testing.harness import Harness
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

ID = "0195a1b2-0000-7000-8000-000000000001"
LINE = {"description": "x", "net_pence": 100, "vat_rate": "0", "vat_pence": 0}
SOURCE = {"system": "Ledger", "reference": "1"}
ADDRESS = {"lines": ["1 Mill Lane"], "postcode": "NR9 4AB"}
CHARGE = {"source": SOURCE, "number": "1", "lines": [LINE], "gross_pence": 100}
RECORDED: dict[str, dict[str, dict[str, Any]]] = {
    "supplier": {"/v1/suppliers": {"source": SOURCE, "name": "Ardley Paving Ltd"}},
    "invoice": {
        "/v1/invoices": {
            **{"supplier_id": ID, "source": SOURCE, "number": "1", "issued_on": "2026-03-01"},
            **{"received_on": "2026-03-02", "lines": [LINE], "net_pence": 100, "vat_pence": 0, "gross_pence": 100},
        },
        "/v1/payments": {
            **{"source": SOURCE, "invoice_id": ID, "paid_pence": 100, "method": "bacs"},
            **{"remitted_on": "2026-03-02", "reference": "P1"},
        },
    },
    "debt": {
        "/v1/customers": {"source": SOURCE, "kind": "individual", "name": "A Person"},
        "/v1/receivables": {**CHARGE, "customer_id": ID, "department": "markets", "issued_on": "2026-03-01"},
        "/v1/receipts": {"source": SOURCE, "received_on": "2026-03-01", "amount_pence": 100},
        "/v1/receivables/{receivable_id}/corrections": {
            **{"reason": "raised_in_error", "note": "x", "receivable": CHARGE, "payments": None}
        },
    },
}
UPLOAD = "/v1/invoice-imports?filename=a.csv&source_system=Ledger"
BINDING = {"system": "ledger", "caller_kind": "client", "caller": "ledger", "note": "Go-live"}
ROLE = "erp"
MACHINE = {"client_id": "ledger", "preferred_username": "service-account-ledger"}


def names_a_source(model: Any) -> bool:
    """Whether a body records under a source, itself or in what it holds: `customer` and `supplier` only name one."""
    model = getattr(model, "item", model)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return False
    fields = model.model_fields
    if "source" in fields and fields["source"].annotation is SourceIn:
        return True
    return any(names_a_source(field.annotation) for field in fields.values())


@pytest.mark.parametrize("name", ["supplier", "invoice", "rebate", "debt", "notification"])
async def test_every_route_that_records_under_a_source_is_tried_here(name: str, office: Harness) -> None:
    found = set()
    for context in iter_route_contexts(office.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and any(
            names_a_source(body.field_info.annotation) for body in route.dependant.body_params
        ):
            found.add(str(context.path))
    singles = set(RECORDED.get(name, ()))
    assert found == singles | {f"{path}/bulk" for path in singles if "{" not in path}


@pytest.mark.parametrize("name", sorted(RECORDED))
async def test_a_bound_name_is_refused_to_all_others_in_every_route(name: str, office: Harness) -> None:
    async with office.as_("finance_systems_officer", "s.lee") as officer:
        bound = await officer.post(f"/v1/{name}-source-systems", json=BINDING)
    assert bound.status_code == 201
    async with office.as_(ROLE) as other:
        for path, body in RECORDED[name].items():
            refused = await other.post(path.replace("{receivable_id}", ID), json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "source-system-of-others"), path
            if "{" not in path:
                bulk = (await other.post(f"{path}/bulk", json={"items": [body, body]})).json()
                assert [each["code"] for each in bulk["items"]] == ["source-system-of-others"] * 2, path
        if name == "invoice":
            refused = await other.post(UPLOAD, content=b"a\n1\n")
            assert (refused.status_code, refused.json()["code"]) == (403, "source-system-of-others")
    async with office.client({"authorization": f"Bearer {office.issuer.token(ROLE, 'l', **MACHINE)}"}) as ledger:
        for path, body in RECORDED[name].items():
            answer = await ledger.post(path.replace("{receivable_id}", ID), json=body)
            assert answer.status_code != 403, (path, answer.text)
