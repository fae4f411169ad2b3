"""What the gateway says when it refuses: problem documents of the same shape as the services' (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One refusal: its stable code and the sentences for a person."""

    status: int
    code: str
    title: str
    detail: str
    retry_after_seconds: int | None = None

    def body(self) -> dict[str, Any]:
        """The document; Envoy fills in the path (never its query string) and the request's id."""
        return {
            "type": f"urn:council-payments:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "instance": "%PATH(NQ)%",
            "request_id": "%STREAM_ID%",
        }


UNAUTHENTICATED = Problem(401, "unauthenticated", "Unauthorized", "A valid bearer token is required.")
NOT_FOUND = Problem(404, "no-such-resource", "Not Found", "There is nothing at this address.")
TOO_LARGE = Problem(413, "body-too-large", "Request body too large", "The body is over the bound of its route.")
RATE_LIMITED = Problem(429, "rate-limited", "Too many requests", "Slow down; see Retry-After.", 1)
UNAVAILABLE = Problem(
    503, "unavailable", "Service unavailable", "The service behind this resource is away for the moment.", 5
)
TIMEOUT = Problem(504, "timeout", "No answer in time", "The service did not answer in time; the outcome is unknown.")

BY_STATUS = (UNAUTHENTICATED, NOT_FOUND, TOO_LARGE, RATE_LIMITED, UNAVAILABLE, TIMEOUT)
