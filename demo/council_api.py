"""The public API as any client meets it: through the gateway, with a token, keys on what creates, retries on 503."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

import httpx
from council_local.platform import Platform

AT_ONCE = 8
# The gateway or a service is away for a moment: nothing was done, or the key keeps it from being done twice.
AWAY = frozenset({429, 502, 503, 504})
ATTEMPTS = 40
PAUSE_SECONDS = 0.5
# The longest a single answer may take: a dunning run over a whole ledger.
PATIENCE_SECONDS = 120.0

T = TypeVar("T")
R = TypeVar("R")


class Refused(RuntimeError):
    """The platform refused; `code` is the stable code of its problem document."""

    def __init__(self, request: str, answer: httpx.Response) -> None:
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        self.status = answer.status_code
        self.code = str(problem.get("code", ""))
        self.problem: dict[str, Any] = problem
        errors = "; ".join(f"{one.get('field')}: {one.get('problem')}" for one in problem.get("errors") or [])
        super().__init__(f"{request}: {self.status} {self.code} {problem.get('detail', '')} {errors}".rstrip())


class Caller:
    """One colleague, or the ERP, at the gateway."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}

    async def get(self, path: str, **params: Any) -> Any:
        """A resource as JSON."""
        return (await self._ask("GET", path, params=_given(params))).json()

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Create or do something, once per key. Raises Refused."""
        headers = {"idempotency-key": key} if key else {}
        return (await self._ask("POST", path, json=body, headers=headers)).json()

    async def upload(self, path: str, content: bytes, *, media_type: str, key: str | None, **params: Any) -> Any:
        """Send a file as it is."""
        headers = {"content-type": media_type} | ({"idempotency-key": key} if key else {})
        return (await self._ask("POST", path, content=content, params=_given(params), headers=headers)).json()

    async def download(self, path: str, **params: Any) -> bytes:
        """A file as it is."""
        return (await self._ask("GET", path, params=_given(params))).content

    async def items(self, path: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=200, cursor=cursor, **params)
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return

    async def rows(self, path: str, **params: Any) -> list[dict[str, str]]:
        """A list as its CSV export gives it, whole."""
        text = (await self.download(path, **params)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {**self._headers, **request.pop("headers", {})}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._http.request(method, path, headers=headers, **request)
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    raise
            else:
                if answer.status_code not in AWAY or attempt == ATTEMPTS:
                    break
            await asyncio.sleep(PAUSE_SECONDS)
        if answer.is_error:
            raise Refused(f"{method} {path}", answer)
        return answer


class Council:
    """The people and the system that work in the demonstration, each with a token of their own."""

    def __init__(self, platform: Platform, http: httpx.AsyncClient) -> None:
        def person(role: str, name: str) -> Caller:
            return Caller(http, platform.token(role, name=name))

        self.platform = platform
        self.erp = Caller(http, platform.machine_token("erp", seconds=8 * 3600))
        self.assistant = person("payments_assistant", "a.jones")
        self.second_assistant = person("payments_assistant", "b.osei")
        self.ap_manager = person("ap_manager", "m.khan")
        self.coordinator = person("early_payment_coordinator", "e.price")
        self.receivables = person("receivables_coordinator", "r.cole")
        self.recovery_officer = person("debt_recovery_officer", "d.flynn")
        self.auditor = person("auditor", "i.roy")


def gateway_client(platform: Platform) -> httpx.AsyncClient:
    """HTTP/1.1 with a few connections that stay open."""
    limits = httpx.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=2 * AT_ONCE)
    return httpx.AsyncClient(base_url=platform.gateway_url, timeout=PATIENCE_SECONDS, limits=limits, trust_env=False)


async def for_each(
    work: Iterable[T], do: Callable[[T], Awaitable[R]], *, tick: Callable[[], None], at_once: int = AT_ONCE
) -> list[R]:
    """Do something with each, a few at a time; answers in the order of the work, the first failure ends all."""
    pending = list(enumerate(work))[::-1]
    answers: dict[int, R] = {}

    async def go_on() -> None:
        while pending:
            index, one = pending.pop()
            answers[index] = await do(one)
            tick()

    tasks = [asyncio.create_task(go_on()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return [answers[index] for index in sorted(answers)]


async def until(
    question: Callable[[], Awaitable[bool]], *, what: str, seconds: float = 120.0, every: float = 0.1
) -> None:
    """Ask until the answer is yes; raises TimeoutError with what was waited for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await question():
        if loop.time() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s still waiting: {what}")
        await asyncio.sleep(every)


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
