"""A filter nobody knows is refused: a list that ignores a misspelled one shows everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from council_common.errors import FieldError, Malformed

_KNOWN: dict[Callable[..., Any], frozenset[str]] = {}  # by endpoint; routes cannot be keys


async def only_known_queries(request: Request) -> None:
    """Raise Malformed for query parameters that the route does not declare."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    if route.endpoint not in _KNOWN:
        _KNOWN[route.endpoint] = _queries_of(route)
    known = _KNOWN[route.endpoint]
    if unknown := sorted(request.query_params.keys() - known):
        right = f"one of {', '.join(sorted(known))}" if known else "no query parameters"
        raise Malformed(
            "The address names what this resource does not know; see errors.",
            errors=[FieldError(name[:60], "unknown here", right) for name in unknown[:20]],
        )


def _queries_of(route: APIRoute) -> frozenset[str]:
    return frozenset(field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, Query))
