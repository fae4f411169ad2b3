"""Asking another service: its own token, time-outs, retries with jitter, and a circuit breaker."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal, Protocol

import httpx
import stamina
from circuitbreaker import CircuitBreaker, CircuitBreakerError
from pydantic import SecretStr

from council_common.errors import Unavailable
from council_common.observability.traces import current_traceparent

ServiceName = Literal["supplier", "invoice", "rebate", "debt", "notification"]

_RENEW_BEFORE_SECONDS = 30
_DEFAULT_TOKEN_SECONDS = 120
_RETRY_STATUSES = frozenset({502, 503, 504})


class ClientSettings(Protocol):
    """The settings a client needs."""

    oidc_issuer: str
    client_id: str
    client_secret: SecretStr
    supplier_service_url: str
    invoice_service_url: str
    rebate_service_url: str
    debt_service_url: str
    notification_service_url: str


class _Away(Exception):
    """The other service did not answer, or answered that it cannot at the moment."""

    what = "does not answer at the moment"


class _TokenRefused(_Away):
    """The other service does not take our token, a new one neither."""

    what = "refuses our token: do both have the same OIDC_ISSUER and OIDC_AUDIENCE?"


class _NoToken(Exception):
    """The identity provider gives us no token: the other service was not asked yet."""


class ServiceClients:
    """The other services, as this one sees them."""

    def __init__(self, settings: ClientSettings, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        # After five failures in a row a service is left alone for five seconds.
        self._guarded = {
            name: CircuitBreaker(failure_threshold=5, recovery_timeout=5, expected_exception=_Away).decorate(self._send)
            for name in ("supplier", "invoice", "rebate", "debt", "notification")
        }
        self._token = ""
        self._token_until = 0.0
        self._renewing = asyncio.Lock()

    async def get(self, service: ServiceName, path: str, **params: Any) -> Any:
        """GET a resource as JSON; None when it does not exist. Raises Unavailable when the service stays away."""
        return await self._ask(service, "GET", path, params=params)

    async def post(
        self, service: ServiceName, path: str, body: Any, *, idempotency_key: str, timeout: float = 60.0
    ) -> Any:
        """POST JSON with an idempotency key, so that a retry never does it twice."""
        return await self._ask(
            service, "POST", path, json=body, headers={"idempotency-key": idempotency_key}, timeout=timeout
        )

    async def _ask(self, service: ServiceName, method: str, path: str, **request: Any) -> Any:
        url = f"{getattr(self._settings, f'{service}_service_url').rstrip('/')}{path}"
        try:
            async for attempt in stamina.retry_context(
                on=(_Away, _NoToken), attempts=3, timeout=30, wait_initial=0.1, wait_max=2
            ):
                with attempt:
                    token = await self._own_token()
                    response: httpx.Response = await self._guarded[service](method, url, token, **request)
        except _NoToken as fault:
            raise Unavailable("The identity provider gives us no token at the moment (CLIENT_ID).") from fault
        except (_Away, CircuitBreakerError) as fault:
            raise Unavailable(f"{service}-service {getattr(fault, 'what', _Away.what)}.") from fault
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.json()

    async def _send(self, method: str, url: str, token: str, **request: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **request.pop("headers", {})}
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        try:
            response = await self._client.request(method, url, headers=headers, **request)
        except httpx.TransportError as fault:
            raise _Away from fault
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""  # the issuer changed its keys: a new token, and the same question again
            raise _TokenRefused
        if response.status_code in _RETRY_STATUSES:
            raise _Away
        return response

    async def _own_token(self) -> str:
        """This service's token by client credentials (RFC 6749 §4.4), renewed before it ends."""
        if self._token and time.monotonic() < self._token_until:
            return self._token
        async with self._renewing:
            if self._token and time.monotonic() < self._token_until:
                return self._token
            try:
                discovery = await self._client.get(
                    f"{self._settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration"
                )
                granted = await self._client.post(
                    discovery.raise_for_status().json()["token_endpoint"],
                    data={"grant_type": "client_credentials"},
                    auth=(self._settings.client_id, self._settings.client_secret.get_secret_value()),
                )
                grant = granted.raise_for_status().json()
                self._token = str(grant["access_token"])
                lives = int(grant.get("expires_in", _DEFAULT_TOKEN_SECONDS))  # optional in RFC 6749 §5.1
                self._token_until = time.monotonic() + lives - _RENEW_BEFORE_SECONDS
            except (httpx.HTTPError, KeyError, TypeError, ValueError) as fault:
                raise _NoToken from fault
            return self._token
