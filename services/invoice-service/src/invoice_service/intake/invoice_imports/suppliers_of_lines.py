"""Whose invoices a batch holds: suppliers known here, known to supplier-service, registered now, or unknown."""

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
        self._unknown: set[str] = set()

    async def find(self, drafts: Iterable[Draft]) -> dict[str, LineSupplier | None]:
        """The suppliers of these drafts by reference: None for an unknown one, no entry for one that was not asked for.

        Call it outside a transaction: it may ask or write to supplier-service.
        """
        names = {draft.supplier_reference: draft.supplier_name for draft in drafts}
        missing = [reference for reference in names if not (reference in self._known or reference in self._unknown)]
        if missing:
            await self._look_up(missing)
            missing = self._not_known(missing)
        if missing and self._register:
            await self._register_all({reference: names[reference] for reference in missing})
            missing = self._not_known(missing)
        if missing:
            await self._ask(missing)
        found = {reference: self._known[reference] for reference in names if reference in self._known}
        if len(self._known) > MOST_REMEMBERED:
            self._known = dict(found)
        return {**found, **dict.fromkeys(reference for reference in names if reference in self._unknown)}

    def _not_known(self, references: Sequence[str]) -> list[str]:
        return [reference for reference in references if reference not in self._known]

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
            made = [
                KnownSupplier(
                    supplier_id=UUID(outcome["id"]),
                    source_system=self._system,
                    source_reference=items[outcome["index"]]["source"]["reference"],
                    status="active",
                    payment_terms_days=30,
                    version=0,
                )
                for outcome in answer["items"]
                if outcome.get("id")
            ]
            await self._keep(made)
            log.info("suppliers_registered", asked=len(items), known=len(made))

    async def _ask(self, references: Sequence[str]) -> None:
        """A registration whose event has not reached us yet is no reason to refuse a line.

        A file of suppliers that are all unknown is asked about only so long.
        """
        for start in range(0, len(references), _ASKED_AT_ONCE):
            if len(self._unknown) >= MOST_NOT_FOUND:
                return
            asked = references[start : start + _ASKED_AT_ONCE]
            await self._keep(await ask_for_references(self._runtime.clients, self._system, asked))
            self._unknown.update(self._not_known(asked))

    async def _keep(self, suppliers: Sequence[KnownSupplier]) -> None:
        if not suppliers:
            return
        async with self._runtime.sessions.begin() as session:
            await store.keep(session, suppliers)
        for supplier in suppliers:
            reference = str(supplier.source_reference)
            self._remember(reference, supplier.supplier_id, supplier.payment_terms_days, supplier.status)

    def _remember(self, reference: str, supplier_id: UUID, terms_days: int, status: str) -> None:
        self._known[reference] = LineSupplier(supplier_id, str(supplier_id), terms_days, status)
