"""Every operation of the five documents is called with what Schemathesis makes of its schema, right and wrong.

No answer is a 500, and each has a status, a media type and a form that the document names. The examples are few and
always the same; ids that the service gave before take the place of invented ones in every second call.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from council_common.database.migrations import migrate
from council_common.identity.roles import ROLES
from council_common.testing.harness import harness
from council_local.ports import LOOPBACK, free_ports
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# A machine at work on other things takes minutes a service.
pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")
EXAMPLES = 4
EVERYTHING_A_PERSON_MAY = " ".join(role for role in ROLES if role not in {"erp", "service", "supplier_registrar"})
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@contextmanager
def served(name: str, database: str) -> Iterator[tuple[str, str]]:
    """A service on a real port of its own, without its neighbours; its address and a token."""
    (port,) = free_ports(1)
    begun: dict[str, Any] = {}

    async def serve() -> None:
        service = importlib.import_module(f"{name}_service.main").SERVICE
        of_service = importlib.import_module(f"{name}_service.settings").Settings
        async with harness(service, of_service, database, rolled_back=False) as running:
            config = uvicorn.Config(running.app, host=LOOPBACK, port=port, log_config=None, ws="none")
            begun["token"] = running.issuer.token(EVERYTHING_A_PERSON_MAY)
            begun["server"] = uvicorn.Server(config)
            await begun["server"].serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while not ("server" in begun and begun["server"].started):
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.05)
    try:
        yield f"http://{LOOPBACK}:{port}", begun["token"]
    finally:
        begun["server"].should_exit = True
        thread.join()


class Caller:
    """Calls a service as its document says; keeps the ids it is given and the answers that no document names."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._given: dict[str, list[str]] = defaultdict(list)
        self._numbers = itertools.count()
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.statuses: set[int] = set()

    def call(self, case: Any) -> None:
        if next(self._numbers) % 2:
            for name in case.path_parameters or {}:
                if known := self._given[name]:
                    case.path_parameters[name] = known[-1]
        answer = case.call(base_url=self._url, headers={"authorization": f"Bearer {self._token}"})
        self.statuses.add(answer.status_code)
        self._keep_id(answer)
        # 503 is documented: the service is without its neighbours here.
        checks = CHECKS if answer.status_code == 503 else [not_a_server_error, *CHECKS]
        try:
            case.validate_response(answer, checks=checks)
        except (Exception, BaseExceptionGroup) as fault:
            self.faults[case.operation.label].append(f"{answer.status_code}: {fault} {answer.text[:300]}")

    def _keep_id(self, answer: Any) -> None:
        """`/v1/market-sectors/ID` gives a `market_sector_id`."""
        (location, *_) = answer.headers.get("location", [""])
        made = re.fullmatch(r"/v1/([a-z-]+)/([0-9a-f-]{36})", location)
        if answer.status_code < 300 and made is not None:
            noun = re.sub(r"ies$", "y", made[1]).removesuffix("s").replace("-", "_")
            self._given[f"{noun}_id"].append(made[2])


def creating_first(operation: Any) -> tuple[bool, bool]:
    return operation.method.lower() != "post", "{" in operation.path


@pytest.mark.parametrize("name", SERVICES)
def test_answers_match_their_document(name: str, databases: Any) -> None:
    service = importlib.import_module(f"{name}_service.main").SERVICE
    database = databases.fresh(databases.template(name, lambda url: migrate(service.folder, url)))
    document = json.loads((ROOT / "docs" / "contracts" / "openapi" / f"{name}-service.json").read_text())
    operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
    with served(name, database) as (url, token):
        caller = Caller(url, token)
        for operation in sorted(operations, key=creating_first):
            _call(operation, caller)
        _send_what_cannot_be_read(document, url, token, caller)
    databases.drop([database])
    assert not caller.faults, "\n".join(f"{label}: {found[0]}" for label, found in caller.faults.items())
    assert caller.statuses >= {200, 201, 404, 422}


def _call(operation: Any, caller: Caller) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        caller.call(case)

    call()


def _send_what_cannot_be_read(document: dict[str, Any], url: str, token: str, caller: Caller) -> None:
    """A body that is neither JSON nor UTF-8 gets an answer that the document names."""
    anywhere = "00000000-0000-4000-8000-000000000000"
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                (media_type, *_) = operation["requestBody"]["content"]
                answer = client.request(
                    method, re.sub(r"{\w+}", anywhere, path), content=b"\xff\xfe{", headers={"content-type": media_type}
                )
                if str(answer.status_code) not in operation["responses"]:
                    caller.faults[f"{method} {path}"].append(f"unreadable: {answer.status_code} {answer.text[:200]}")
