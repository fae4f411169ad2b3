"""The issuer's tokens verify with what it publishes, and only the right secret gets one."""

import asyncio
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest
from council_local import ask_token
from council_local.ask_token import SOCKET
from council_local.folders import CHECKOUT
from council_local.issuer import answer_on_socket, issuer_app
from council_local.keys import machine_clients, signing_key
from council_local.scratch import scratch_folder
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


async def test_make_token_gives_one_person_several_roles(platforms_data: Path) -> None:
    for roles in ("payments_assistant debt_recovery_officer", "payments_assistant,debt_recovery_officer"):
        code, token, _ = await make_token(roles, "a.jones")
        key = jwt.PyJWK(signing_key(platforms_data / "keys").public_jwk)
        claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
        assert (code, claims["sub"]) == (0, subject_of("a.jones"))
        assert claims["resource_access"] == {AUDIENCE: {"roles": ["payments_assistant", "debt_recovery_officer"]}}


async def test_a_systems_role_without_a_name_is_the_system(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """What it records under its source system's name is its own: the README's walk is the ERP's, not a person's."""
    tokens = Tokens.of(tmp_path / "keys", ISSUER)
    system = await claims_of(client, tokens.for_person("erp"))
    assert (system["client_id"], system["sub"]) == ("erp", subject_of("service-account-erp"))
    assert "client_id" not in await claims_of(client, tokens.for_person("erp", name="a.jones"))
    assert "client_id" not in await claims_of(client, tokens.for_person("erp auditor"))


@pytest.mark.parametrize("roles", ["", " ", ","])
def test_a_token_without_a_role_is_refused(tmp_path: Path, roles: str) -> None:
    with pytest.raises(UnknownRoleError, match="no role is named"):
        Tokens.of(tmp_path, ISSUER).for_person(roles)


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


@pytest.fixture
async def platforms_data(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """A data folder in whose keys an issuer listens."""
    with scratch_folder("issuer") as folder:
        (folder / "keys").mkdir(mode=0o700)
        monkeypatch.setenv("COUNCIL_DATA", str(folder))
        async with await answer_on_socket(f"{folder}/keys/{SOCKET}", Tokens.of(folder / "keys", ISSUER)):
            yield folder


async def make_token(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of what `make token` runs."""
    command = [sys.executable, "-I", ask_token.__file__, *arguments]
    run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, errors = await run.communicate()
    assert run.returncode is not None
    return run.returncode, out.decode().strip(), errors.decode()


async def test_make_token_asks_the_running_issuer_by_the_socket_beside_its_keys(platforms_data: Path) -> None:
    code, token, _ = await make_token("auditor", "i.roy")
    key = jwt.PyJWK(signing_key(platforms_data / "keys").public_jwk)
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert (code, claims["sub"]) == (0, subject_of("i.roy"))
    assert claims["resource_access"] == {AUDIENCE: {"roles": ["auditor"]}}


async def test_make_token_refuses_an_unknown_role_with_the_list(platforms_data: Path) -> None:
    code, token, errors = await make_token("mayor")
    assert (code, token) == (2, "")
    assert errors.startswith("no such role: mayor. The roles are: ")


async def test_make_token_makes_one_from_the_key_while_no_issuer_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNCIL_DATA", str(tmp_path))
    code, token, _ = await make_token("auditor")
    key = jwt.PyJWK(signing_key(tmp_path / "keys").public_jwk)
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE)
    assert (code, claims["sub"]) == (0, subject_of("auditor"))


async def test_a_question_that_never_ends_gets_no_token(platforms_data: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(f"{platforms_data}/keys/{SOCKET}")
    writer.write(b"x" * 100_000)
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    ("env_file", "folder"),
    [
        (None, ".data"),
        ("COUNCIL_DATA=elsewhere\n", "elsewhere"),
        ("# COUNCIL_DATA=/no\nexport COUNCIL_DATA='/srv/council data'\n", "/srv/council data"),
    ],
)
def test_the_socket_is_sought_where_the_platform_keeps_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_file: str | None, folder: str
) -> None:
    assert Path(ask_token.CHECKOUT) == CHECKOUT
    monkeypatch.setattr(ask_token, "CHECKOUT", str(tmp_path))
    if env_file is not None:
        (tmp_path / ".env").write_text(env_file)
    assert Path(ask_token.keys_folder({})) == tmp_path / folder / "keys"
    assert Path(ask_token.keys_folder({"COUNCIL_DATA": "/else/where"})) == Path("/else/where/keys")
