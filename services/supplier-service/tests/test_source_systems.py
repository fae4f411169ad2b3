"""Suppliers are registered under a source system's name by the callers it is bound to."""

from typing import Any

from council_common.testing.harness import Harness

SYSTEMS = "/v1/supplier-source-systems"


def a_supplier(system: str = "erp", reference: str = "1") -> dict[str, Any]:
    return {"source": {"system": system, "reference": reference}, "name": "Ardley Paving Ltd"}


def a_system(service: Harness, client: str, role: str = "erp") -> Any:
    claims = {"client_id": client, "preferred_username": f"service-account-{client}"}
    return service.client({"authorization": f"Bearer {service.issuer.token(role, client, **claims)}"})


async def test_the_first_system_to_record_under_a_name_has_it(service: Harness) -> None:
    async with a_system(service, "erp") as erp, a_system(service, "another") as another, service.as_("auditor") as eye:
        assert (await erp.post("/v1/suppliers", json=a_supplier())).status_code == 201
        for system in ("erp", "ERP", " Erp"):
            refused = await another.post("/v1/suppliers", json=a_supplier(system, "2"))
            assert (refused.status_code, refused.json()["code"]) == (403, "source-system-of-others")
            assert refused.json()["errors"][0]["field"] == "source.system"
        assert (await erp.post("/v1/suppliers", json=a_supplier("ERP", "3"))).status_code == 201
        [bound] = (await eye.get(SYSTEMS)).json()["items"]
        assert (bound["system"], bound["caller_kind"], bound["caller"], bound["first_use"]) == (
            *("erp", "client", "erp"),
            True,
        )
        [line] = (await eye.get(f"{SYSTEMS}/{bound['id']}/history")).json()["items"]
        assert (line["action"], line["reason"], line["by_name"]) == ("bound", "first_use", "service-account-erp")


async def test_a_name_is_bound_to_more_than_one_and_taken_back(service: Harness) -> None:
    async with a_system(service, "erp") as erp, a_system(service, "new-erp") as new:
        async with service.as_("finance_systems_officer") as officer:
            assert (await erp.post("/v1/suppliers", json=a_supplier())).status_code == 201
            more = {"system": "erp", "caller_kind": "client", "caller": "new-erp", "note": "Migration"}
            bound = await officer.post(SYSTEMS, json=more)
            assert (bound.status_code, bound.json()["first_use"]) == (201, False)
            again = await officer.post(SYSTEMS, json=more)
            assert (again.status_code, again.json()["code"]) == (409, "source-system-already-bound")
            assert (await new.post("/v1/suppliers", json=a_supplier(reference="2"))).status_code == 201
            for binding in (await officer.get(SYSTEMS, params={"system": "ERP"})).json()["items"]:
                path = f"{SYSTEMS}/{binding['id']}"
                ended = await officer.post(f"{path}/endings", json={"note": "Retired"})
                assert (ended.status_code, ended.json()["ended_at"] is not None) == (201, True)
                twice = await officer.post(f"{path}/endings", json={"note": "Retired"})
                assert (twice.status_code, twice.json()["code"]) == (409, "source-system-binding-ended")
        # Nobody's until it is bound again: not open to whoever comes first.
        for caller in (erp, new):
            assert (await caller.post("/v1/suppliers", json=a_supplier(reference="3"))).status_code == 403


async def test_nobody_binds_a_name_to_her_own_role(service: Harness) -> None:
    async with service.as_("finance_systems_officer payments_assistant", "s.lee") as officer:
        body = {"system": "manual", "caller_kind": "role", "caller": "payments_assistant", "note": "x"}
        refused = await officer.post(SYSTEMS, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "own-role")
    async with service.as_("payments_assistant", "a.jones") as clerk:
        assert (await clerk.post(SYSTEMS, json=body)).status_code == 403


async def test_a_role_is_bound_and_others_of_the_bulk_are_refused_alone(service: Harness) -> None:
    async with service.as_("finance_systems_officer") as officer, service.as_("payments_assistant") as clerk:
        body = {"system": "manual", "caller_kind": "role", "caller": "ap_manager", "note": "Take-on"}
        assert (await officer.post(SYSTEMS, json=body)).status_code == 201
        assert (await clerk.post("/v1/suppliers", json=a_supplier("manual"))).status_code == 403
    async with service.as_("ap_manager") as manager:
        assert (await manager.post("/v1/suppliers", json=a_supplier("manual"))).status_code == 201
    async with a_system(service, "erp") as erp:
        items = [a_supplier("manual", "7"), a_supplier("erp", "7")]
        done = (await erp.post("/v1/suppliers/bulk", json={"items": items})).json()
        assert [(each["outcome"], each["code"]) for each in done["items"]] == [
            ("refused", "source-system-of-others"),
            ("created", None),
        ]


async def test_a_service_that_judged_the_right_itself_binds_nothing(service: Harness) -> None:
    """An import's registration comes from invoice-service, which asked whether its sender may use the name."""
    async with a_system(service, "erp") as erp, a_system(service, "invoice-service", "supplier_registrar") as registrar:
        assert (await erp.post("/v1/suppliers", json=a_supplier())).status_code == 201
        items = [a_supplier("erp", "2"), a_supplier("leeds", "1")]
        done = (await registrar.post("/v1/suppliers/bulk", json={"items": items})).json()
        assert done["created"] == 2
    async with service.as_("auditor") as eye:
        assert [each["caller"] for each in (await eye.get(SYSTEMS)).json()["items"]] == ["erp"]
