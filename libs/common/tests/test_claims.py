"""What a token's claims give, in every form they can come: unknown means no rights, and never an error of ours."""

import math
from typing import Any

import pytest
from council_common.errors import Unauthenticated
from council_common.identity.roles import ROLES
from council_common.identity.tokens import TokenVerifier
from council_common.testing.issuer import AUDIENCE, ISSUER, TestIssuer

ALL = ROLES["payments_assistant"]


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer()


@pytest.fixture
def verifier(issuer: TestIssuer) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, client=issuer.client())


@pytest.mark.parametrize("claim", ["scope", "scp"])
@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("invoices:read openid", {"invoices:read"}),
        (["invoices:read", "openid"], {"invoices:read"}),
        (["openid invoices:read"], {"invoices:read"}),
        ("refunds:approve", set()),
        (["refunds:approve"], set()),
        ("INVOICES:READ", set()),
        ("api://council-payments/invoices:read", set()),
        ("openid profile email", ALL),
        (["openid", "profile"], ALL),
        ("https://graph.microsoft.com/User.Read urn:zitadel:iam:org:project:id:zitadel:aud", ALL),
        ("", ALL),
        ([], ALL),
        (None, set()),
        (7, set()),
        (True, set()),
        ({"invoices:read": True}, set()),
        (["invoices:read", 7], set()),
        ([["invoices:read"]], set()),
    ],
    ids=lambda one: repr(sorted(one)) if isinstance(one, set | frozenset) else repr(one),
)
async def test_a_token_narrowed_in_any_form_is_narrowed(
    issuer: TestIssuer, verifier: TokenVerifier, claim: str, value: Any, left: set[str]
) -> None:
    actor = await verifier.verify(issuer.token("payments_assistant", **{claim: value}))
    assert actor.scopes == left


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": "payments_assistant"},
        {"roles": 7},
        {"roles": {"payments_assistant": True}},
        {"roles": ["payments_assistant", 7]},
        {"roles": None},
        {"resource_access": ["payments_assistant"]},
        {"resource_access": "payments_assistant"},
        {"resource_access": None},
        {"resource_access": {AUDIENCE: ["payments_assistant"]}},
        {"resource_access": {AUDIENCE: None}},
        {"resource_access": {AUDIENCE: {"roles": "payments_assistant"}}},
        {"resource_access": {AUDIENCE: {"roles": [["payments_assistant"]]}}},
        {"resource_access": {"another-system": {"roles": ["payments_assistant"]}}},
    ],
    ids=repr,
)
async def test_roles_of_another_form_give_no_rights(
    issuer: TestIssuer, verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    actor = await verifier.verify(issuer.token("x", **({"resource_access": {}} | claims)))
    assert (actor.scopes, actor.roles) == (frozenset(), frozenset())


@pytest.mark.parametrize("value", ["", " ", "a ", "a\x00b", "a\nb", "\u200b", "\ud800", "x" * 201, 7, [], {}], ids=repr)
@pytest.mark.parametrize("claim", ["sub", "oid"])
async def test_a_subject_that_names_nobody_is_refused(
    issuer: TestIssuer, verifier: TokenVerifier, claim: str, value: Any
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.token("auditor", **{claim: value}))


@pytest.mark.parametrize("name", [7, ["a"], {}, "", "a\x00b", "\ud800", True])
async def test_a_name_that_cannot_be_shown_is_the_subject(
    issuer: TestIssuer, verifier: TokenVerifier, name: Any
) -> None:
    actor = await verifier.verify(issuer.token("auditor", preferred_username=name))
    assert actor.name == actor.subject


@pytest.mark.parametrize("value", ["4102444800", math.nan, math.inf, True, [], {}, "soon", 10**400], ids=repr)
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
async def test_a_time_of_another_form_is_refused(
    issuer: TestIssuer, verifier: TokenVerifier, claim: str, value: Any
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.forged(**{claim: value}))


@pytest.mark.parametrize("claims", [{"iss": [ISSUER]}, {"iss": 7}, {"aud": {AUDIENCE: 1}}, {"aud": 7}, {"aud": [7]}])
async def test_an_issuer_or_audience_of_another_form_is_refused(
    issuer: TestIssuer, verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.forged(**claims))


async def test_json_that_is_too_deep_is_refused(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    """It is read before the signature is: anybody may send it."""
    for token in (issuer.signed(b"[" * 8_000), issuer.signed(b"{}", header=b'{"alg":' + b"[" * 8_000)):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_a_person_has_several_roles(issuer: TestIssuer, verifier: TokenVerifier) -> None:
    actor = await verifier.verify(issuer.token("payments_assistant debt_recovery_officer", "a.jones"))
    assert actor.roles == {"payments_assistant", "debt_recovery_officer"}
    assert actor.scopes == ROLES["payments_assistant"] | ROLES["debt_recovery_officer"]
