"""What invoices need to know of a supplier: whether it may be paid, and by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from council_common.errors import Conflict, NotFound

SUPPLIER_HELD = "supplier_held"
BANK_ACCOUNT_CHANGE = "bank_account_change"
HELD = "held"
ENDED = frozenset({"merged", "closed"})


class UnknownSupplier(NotFound):
    """Neither we nor supplier-service know the supplier named."""

    code = "supplier-not-found"


class SupplierClosed(Conflict):
    """The supplier was merged into another or closed: it sends no more invoices."""

    code = "supplier-closed"


@dataclass(frozen=True, slots=True)
class KnownSupplier:
    """A supplier as its service describes it. `open_changes` are bank-account changes not yet decided."""

    supplier_id: UUID
    source_system: str | None
    source_reference: str | None
    status: str
    payment_terms_days: int
    open_changes: tuple[UUID, ...] = ()
    version: int = 1

    @classmethod
    def of(cls, answer: dict[str, Any]) -> KnownSupplier:
        """From a supplier resource of supplier-service; fields it does not have yet take harmless defaults."""
        source = answer.get("source") or {}
        change = answer.get("open_bank_account_change_id")
        return cls(
            supplier_id=UUID(answer["id"]),
            source_system=source.get("system"),
            source_reference=source.get("reference"),
            status=answer.get("status", "active"),
            payment_terms_days=int(answer.get("payment_terms_days", 30)),
            open_changes=(UUID(change),) if change else (),
            version=int(answer.get("version", 1)),
        )


def hold_reasons(status: str, open_changes: Sequence[object]) -> list[str]:
    """Why no invoice of a supplier may be paid; council policy holds them while a change of bank account is open.

    >>> hold_reasons("held", ["a change"])
    ['bank_account_change', 'supplier_held']
    """
    reasons = [BANK_ACCOUNT_CHANGE] if open_changes else []
    return [*reasons, SUPPLIER_HELD] if status == HELD else reasons
