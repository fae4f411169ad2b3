"""Roles of a council's staff and systems, and what each may do.

Scopes are `noun:read`, `noun:write`, `noun:approve`. A token carries roles; this table is how a service reads them.
A token without a known role has no rights.
"""


def _read(*nouns: str) -> frozenset[str]:
    return frozenset(f"{noun}:read" for noun in nouns)


PAYABLES = _read("suppliers", "invoices", "payments", "rebates", "messages")
RECEIVABLES = _read("debts", "receipts", "journal", "dunning", "messages")
"""What the people of a job read; words about somebody's health (UK GDPR art 9) only with `health-notes:read`."""

ROLES: dict[str, frozenset[str]] = {
    "payments_assistant": PAYABLES
    | {
        "suppliers:write",
        "bank-accounts:write",
        "invoices:write",
        "invoices:approve",
        "payments:write",
        "payment-exceptions:write",
        "messages:write",
    },
    "ap_manager": PAYABLES
    | {
        "source-systems:read",
        "suppliers:write",
        "bank-accounts:approve",
        "invoices:write",
        "invoices:approve",
        "payments:write",
        "payment-exceptions:write",
        "approval-limits:write",
        "messages:write",
        "failed-addresses:write",
        "message-templates:approve",
    },
    "early_payment_coordinator": PAYABLES | {"suppliers:write", "rebates:write", "messages:write"},
    "receivables_coordinator": RECEIVABLES
    | {"debts:write", "receipts:write", "dunning:write", "messages:write", "failed-addresses:write"},
    "debt_recovery_officer": RECEIVABLES
    | {
        "health-notes:read",
        "debts:write",
        "receipts:write",
        "dunning:write",
        "dunning:approve",
        "messages:write",
        "failed-addresses:write",
        "message-templates:approve",
    },
    # Residents pay and are paid here: looks at both sides, sets money right, and neither approves nor enforces.
    "residents_payments_officer": PAYABLES
    | RECEIVABLES
    | {"health-notes:read", "invoices:write", "debts:write", "receipts:write", "messages:write"},
    "communications_officer": _read("messages")
    | {"messages:write", "failed-addresses:write", "message-templates:write", "message-templates:approve"},
    "auditor": PAYABLES | RECEIVABLES | _read("source-systems"),
    # Sets up who may do what and does none of it: neither pays, collects nor approves.
    "finance_systems_officer": PAYABLES
    | RECEIVABLES
    | {"source-systems:read", "source-systems:write", "approval-limits:write"},
    # Systems (client credentials). None approves: whoever holds a system's secret would be her own second person.
    "erp": PAYABLES
    | RECEIVABLES
    | {
        "suppliers:write",
        "invoices:write",
        "payments:write",
        "debts:write",
        "receipts:write",
    },
    "service": PAYABLES | RECEIVABLES,
    # invoice-service beside `service`: imports register the suppliers they meet, for people whose rights it has judged.
    "supplier_registrar": frozenset({"suppliers:write", "source-systems:vouch"}),
}


def scopes_of(roles: frozenset[str]) -> frozenset[str]:
    """All scopes that roles give; unknown roles give none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
