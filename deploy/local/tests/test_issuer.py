"""The issuer's tokens verify with what it publishes, and only the right secret gets one."""

import stat
from pathlib import Path

import httpx
import jwt
import pytest
from council_local.issuer import issuer_app
from council_local.keys import machine_clients, signing_key
from council_local.tokens import AUDIENCE, Tokens, UnknownRoleError, subject_of

ISSUER = "http://127.0.0.1:8010"


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(issuer_app(tmp_path / "keys", ISSUER))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def claims_of(client: httpx.AsyncClient, token: str) -> dict[str, object]:
    discovery = (await client.get("/.well-known/openid-configuration")).json()
    keys = (await client.get(discovery["jwks_uri"].removeprefix(ISSUER))).json()["keys"]
    key = next(one for one in keys if one["kid"] == jwt.get_unverified_header(token)["kid"])
    claims: dict[str, object] = jwt.decode(
        token, jwt.PyJWK(key), algorithms=["ES256"], audience=AUDIENCE, issuer=discovery["issuer"]
    )
    return claims


@pytest.mark.parametrize("basic", [True, False])
async def test_a_service_signs_in_with_its_secret(client: httpx.AsyncClient, tmp_path: Path, basic: bool) -> None:
    known = machine_clients(tmp_path / "keys")["invoice-service"]
    form = {"grant_type": "client_credentials"}
    if basic:
        answer = await client.post("/token", data=form, auth=(known.client_id, known.secret))
    else:
        secrets = {"client_id": known.client_id, "client_secret": known.secret}
        answer = await client.post("/token", data=form | secrets)
    claims = await claims_of(client, answer.json()["access_token"])
    assert claims["client_id"] == claims["azp"] == "invoice-service"
    assert claims["resource_access"] == {AUDIENCE: {"roles": ["service", "supplier_registrar"]}}
    assert claims["preferred_username"] == "service-account-invoice-service"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "erp", "client_secret": "guess"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "a.jones"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "padding": "x" * 20_000}, 413, "invalid_request"),
    ],
)
async def test_everything_else_is_refused(
    client: httpx.AsyncClient, form: dict[str, str], status: int, error: str
) -> None:
    answer = await client.post("/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_persons_token_has_the_role_and_a_stable_subject(client: httpx.AsyncClient, tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path / "keys", ISSUER)
    claims = await claims_of(client, tokens.for_person("payments_assistant", name="a.jones", hours=1))
    assert claims["sub"] == subject_of("a.jones")
    assert claims["resource_access"] == {AUDIENCE: {"roles": ["payments_assistant"]}}
    assert "client_id" not in claims
    assert isinstance(claims["exp"], int)
    assert isinstance(claims["iat"], int)
    assert claims["exp"] - claims["iat"] == 3600


def test_two_names_of_one_role_are_two_people() -> None:
    assert len({subject_of("ap_manager"), subject_of("a.jones"), subject_of("b.jones")}) == 3


def test_an_unknown_role_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(UnknownRoleError, match=r"no such role: mayor\. The roles are: .*ap_manager"):
        Tokens.of(tmp_path, ISSUER).for_person("mayor")


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first, clients = signing_key(tmp_path / "keys"), machine_clients(tmp_path / "keys")
    assert signing_key(tmp_path / "keys").key_id == first.key_id
    assert machine_clients(tmp_path / "keys") == clients
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}


async def test_a_foreign_host_name_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/jwks.json", headers={"host": "evil.example"})
    assert answer.status_code == 400
