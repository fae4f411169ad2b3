"""Roles of a council's staff and systems, and what each may do.

Scopes are `noun:read`, `noun:write`, `noun:approve`. A token carries roles; this table is how a service reads them.
A token without a known role has no rights.
"""

READ = frozenset(
    f"{noun}:read"
    for noun in (
        "suppliers",
        "invoices",
        "payments",
        "rebates",
        "debts",
        "receipts",
        "journal",
        "dunning",
        "messages",
        "source-systems",
    )
)

ROLES: dict[str, frozenset[str]] = {
    "payments_assistant": READ
    | {
        "suppliers:write",
        "bank-accounts:write",
        "invoices:write",
        "invoices:approve",
        "payments:write",
        "payment-exceptions:write",
        "messages:write",
    },
    "ap_manager": READ
    | {
        "suppliers:write",
        "bank-accounts:approve",
        "invoices:write",
        "invoices:approve",
        "payments:write",
        "payment-exceptions:write",
        "approval-limits:write",
        "messages:write",
        "message-templates:approve",
    },
    "early_payment_coordinator": READ | {"suppliers:write", "rebates:write", "messages:write"},
    "receivables_coordinator": READ | {"debts:write", "receipts:write", "dunning:write", "messages:write"},
    "debt_recovery_officer": READ
    | {
        "debts:write",
        "receipts:write",
        "dunning:write",
        "dunning:approve",
        "messages:write",
        "message-templates:approve",
    },
    "communications_officer": READ | {"messages:write", "message-templates:write", "message-templates:approve"},
    "auditor": READ,
    # Sets up who may do what and does none of it: neither pays, collects nor approves.
    "finance_systems_officer": READ | {"source-systems:write", "approval-limits:write"},
    # Systems (client credentials). None approves: whoever holds a system's secret would be her own second person.
    "erp": READ
    | {
        "suppliers:write",
        "invoices:write",
        "payments:write",
        "debts:write",
        "receipts:write",
    },
    "service": READ,
    # invoice-service beside `service`: imports register the suppliers they meet, for people whose rights it has judged.
    "supplier_registrar": frozenset({"suppliers:write", "source-systems:vouch"}),
}


def scopes_of(roles: frozenset[str]) -> frozenset[str]:
    """All scopes that roles give; unknown roles give none."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
