"""Whose source systems are: the rule, and who is a system."""

from typing import Any

import pytest
from council_common.errors import Forbidden
from council_common.identity.actor import Actor
from council_common.identity.claims import actor_of
from council_common.identity.source_systems import CallerKind, is_one_of, key_of
from council_common.source_systems.rules import BindsOneself, check_caller

ERP = Actor("s1", "erp", client="erp", roles=frozenset({"erp"}))
CLERK = Actor("s2", "a.jones", roles=frozenset({"payments_assistant", "auditor"}))


def test_one_name_however_it_is_written() -> None:
    assert {key_of(name) for name in ("ERP", "erp", " Erp ", "e\u0072p")} == {"erp"}
    assert key_of("erp 2") != key_of("erp")


def test_a_client_and_a_role_are_bound_each_for_itself() -> None:
    client, role = (CallerKind.CLIENT, "erp"), (CallerKind.ROLE, "payments_assistant")
    assert [is_one_of(ERP, [each]) for each in (client, role)] == [True, False]
    assert [is_one_of(CLERK, [each]) for each in (client, role)] == [False, True]
    assert not is_one_of(CLERK, [(CallerKind.CLIENT, "None"), (CallerKind.CLIENT, "a.jones")])
    assert not is_one_of(ERP, [])


def test_nobody_binds_a_name_to_herself() -> None:
    check_caller((CallerKind.CLIENT, "erp"), CLERK)
    with pytest.raises(BindsOneself):
        check_caller((CallerKind.ROLE, "auditor"), CLERK)
    assert issubclass(BindsOneself, Forbidden)


@pytest.mark.parametrize(
    ("claims", "client"),
    [
        ({"client_id": "erp", "preferred_username": "service-account-erp"}, "erp"),
        ({"client_id": "erp", "sub": "erp"}, "erp"),
        ({"idtyp": "app", "azp": "6f1c", "oid": "o"}, "6f1c"),
        ({"idtyp": "user", "azp": "6f1c"}, None),
        ({"client_id": "staff", "preferred_username": "a.jones"}, None),
        ({"client_id": None, "preferred_username": "service-account-None"}, None),
        ({"idtyp": "app", "azp": 7}, None),
        ({"azp": "staff"}, None),
    ],
)
def test_a_system_is_known_by_its_token(claims: dict[str, Any], client: str | None) -> None:
    assert actor_of({"sub": "s", **claims}, "council-payments").client == client
