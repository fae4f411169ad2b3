"""Whose invoices a batch holds: known here, known to supplier-service, registered now, or nobody."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from council_common.observability.logs import get_logger
from council_common.runtime.service_runtime import Runtime

from invoice_service.intake.invoice_imports.drafts import Draft
from invoice_service.register.suppliers import store
from invoice_service.register.suppliers.rules import KnownSupplier
from invoice_service.register.suppliers.usecases import ask_for_references

log = get_logger()

MOST_REMEMBERED = 50_000
MOST_NOT_FOUND = 200
_ASKED_AT_ONCE = 100
_BULK = 1000
_BULK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class LineSupplier:
    """What storing a line takes of its supplier; `text` is its id as written in events."""

    supplier_id: UUID
    text: str
    terms_days: int
    status: str


class SuppliersOfLines:
    """The suppliers of one import's lines, remembered (a bounded number of them) while it runs."""

    def __init__(self, runtime: Runtime, *, system: str, register: bool) -> None:
        self._runtime = runtime
        self._system = system
        self._register = register
        self._known: dict[str, LineSupplier] = {}
        self._nobody: set[str] = set()

    async def find(self, drafts: Iterable[Draft]) -> dict[str, LineSupplier | None]:
        """The suppliers of these drafts by reference: None for one nobody knows, nothing for one not asked for.

        Call it outside a transaction: it may ask or write to supplier-service.
        """
        names = {draft.supplier_reference: draft.supplier_name for draft in drafts}
        unknown = [each for each in names if each not in self._known and each not in self._nobody]
        if unknown:
            await self._look_up(unknown)
            unknown = [each for each in unknown if each not in self._known]
        if unknown and self._register:
            await self._register_all({each: names[each] for each in unknown})
            unknown = [each for each in unknown if each not in self._known]
        if unknown:
            await self._ask(unknown)
        found = {each: self._known[each] for each in names if each in self._known}
        if len(self._known) > MOST_REMEMBERED:
            self._known = dict(found)
        return {**found, **dict.fromkeys(each for each in names if each in self._nobody)}

    async def _look_up(self, references: Sequence[str]) -> None:
        async with self._runtime.sessions() as session:
            rows = await store.by_reference(session, self._system, references)
        for reference, row in rows.items():
            self._remember(reference, row["supplier_id"], row["payment_terms_days"], row["status"])

    async def _register_all(self, names: dict[str, str]) -> None:
        """Register through supplier-service, which makes none twice; the same call again has the same key."""
        left = iter(names.items())
        while items := [
            {"source": {"system": self._system, "reference": reference}, "name": name}
            for reference, name in islice(left, _BULK)
        ]:
            body = {"items": items}
            key = f"suppliers-of-import:{hashlib.sha256(json.dumps(body).encode()).hexdigest()}"
            answer = await self._runtime.clients.post(
                "supplier", "/v1/suppliers/bulk", body, idempotency_key=key, timeout=_BULK_SECONDS
            )
            made = [each for each in answer["items"] if each.get("id")]
            references = [items[each["index"]]["source"]["reference"] for each in made]
            await self._keep(
                [
                    KnownSupplier(UUID(each["id"]), self._system, reference, "active", 30, version=0)
                    for each, reference in zip(made, references, strict=True)
                ]
            )
            log.info("suppliers_registered", asked=len(items), known=len(made))

    async def _ask(self, references: Sequence[str]) -> None:
        """A registration whose event has not reached us yet is no reason to refuse a line.

        A file of suppliers that are all unknown is asked about only so long.
        """
        for start in range(0, len(references), _ASKED_AT_ONCE):
            if len(self._nobody) >= MOST_NOT_FOUND:
                return
            asked = references[start : start + _ASKED_AT_ONCE]
            await self._keep(await ask_for_references(self._runtime.clients, self._system, asked))
            self._nobody.update(each for each in asked if each not in self._known)

    async def _keep(self, suppliers: Sequence[KnownSupplier]) -> None:
        if not suppliers:
            return
        async with self._runtime.sessions.begin() as session:
            await store.keep(session, suppliers)
        for each in suppliers:
            self._remember(str(each.source_reference), each.supplier_id, each.payment_terms_days, each.status)

    def _remember(self, reference: str, supplier_id: UUID, terms_days: int, status: str) -> None:
        self._known[reference] = LineSupplier(supplier_id, str(supplier_id), terms_days, status)
