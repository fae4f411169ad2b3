"""supplier-service as this service sees it: registering many, finding one; over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from council_common.runtime.clients import ServiceClients
from council_common.testing.harness import Harness
from council_local.ports import free_ports
from fastapi import FastAPI, HTTPException, Query


class _Suppliers:
    """What it keeps: names and ids by reference, and the answers it gave under a key."""

    def __init__(self, known: dict[str, str], refuses: set[str]) -> None:
        self.names = dict(known)
        self.ids: dict[str, UUID] = {reference: uuid4() for reference in known}
        self.systems: dict[str, str] = {}
        self.refuses = refuses

    def register(self, index: int, item: dict[str, Any]) -> dict[str, Any]:
        reference, system = item["source"]["reference"], item["source"]["system"]
        key = f"{system}/{reference}"
        if reference in self.refuses:
            return {"index": index, "outcome": "refused", "errors": [{"field": "name", "problem": "no"}]}
        if key in self.ids:
            return {"index": index, "outcome": "existing", "id": str(self.ids[key])}
        self.ids[key], self.names[reference] = uuid4(), item["name"]
        return {"index": index, "outcome": "created", "id": str(self.ids[key])}

    def shown(self, system: str, reference: str, supplier_id: UUID) -> dict[str, Any]:
        return {
            "id": str(supplier_id),
            "version": 1,
            "source": {"system": system, "reference": reference},
            "status": "active",
            "payment_terms_days": 14,
            "open_bank_account_change_id": None,
        }


def _app(suppliers: _Suppliers) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/suppliers/bulk")
    async def bulk(body: dict[str, Any]) -> dict[str, Any]:
        items = [suppliers.register(index, item) for index, item in enumerate(body["items"])]
        return {"received": len(items), "items": items}

    @app.get("/v1/suppliers")
    async def find(
        source_system: str = "", source_reference: str = "", ids: Annotated[list[str] | None, Query()] = None
    ) -> dict[str, Any]:
        if ids is not None:
            named = [{"id": id_, "name": suppliers.names[id_]} for id_ in ids if id_ in suppliers.names]
            return {"items": named, "next": None}
        registered = suppliers.ids.get(f"{source_system}/{source_reference}")
        found = registered or suppliers.ids.get(source_reference)
        return {"items": [suppliers.shown(source_system, source_reference, found)] if found else [], "next": None}

    @app.get("/v1/suppliers/{supplier_id}")
    async def read(supplier_id: UUID) -> dict[str, Any]:
        for reference, known in suppliers.ids.items():
            if known == supplier_id:
                return suppliers.shown("erp", reference, known)
        raise HTTPException(404)

    return app


@asynccontextmanager
async def supplier_service(
    service: Harness, *, known: dict[str, str] | None = None, refuses: set[str] | None = None, away: bool = False
) -> AsyncIterator[dict[str, str]]:
    """Run it, and let the service under test reach it unless it is `away`; yields the names it has by reference."""
    suppliers = _Suppliers(known or {}, refuses or set())
    port = free_ports(1)[0]
    server = uvicorn.Server(uvicorn.Config(_app(suppliers), port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    issuer = httpx.MockTransport(service.issuer._answer)
    before = service.runtime.clients
    async with httpx.AsyncClient(mounts={"https://id.council.test": issuer}) as client:
        url = f"http://127.0.0.1:{9 if away else port}"  # nobody listens to port 9 (discard)
        settings = service.runtime.settings.model_copy(update={"supplier_service_url": url})
        service.runtime.clients = ServiceClients(settings, client)
        try:
            yield suppliers.names
        finally:
            service.runtime.clients = before
            server.should_exit = True
            await serving
