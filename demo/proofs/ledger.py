"""The books balance, and the control account is what the receivables owe."""

from __future__ import annotations

from demo.council_api import Council
from demo.proofs.proof import Proof
from demo.sample_council.facts import SampleCouncil
from demo.steps import pence
from demo.stories.charging import DEBT_TYPE

BEGINNING = "1990-01-01"


async def prove_ledger(council: Council) -> list[Proof]:
    """Trial balance and reconciliation, and the receivables themselves added up here."""
    balance = await council.auditor.get("/v1/control-accounts")
    reconciled = await council.auditor.get("/v1/control-accounts/reconciliation", start=BEGINNING)
    rows = await council.auditor.rows("/v1/receivables/export.csv")
    outstanding = sum(pence(row["outstanding_pounds"]) for row in rows)
    control = balance["receivables_control_pence"]
    differences = len(reconciled["differences"]) + len(reconciled["drifted"])
    return [
        Proof("journal: debits and credits of all accounts", balance["sum_pence"], 0, money=True),
        Proof("receivables control account = Σ outstanding of /v1/receivables", control, outstanding, money=True),
        Proof("receivables whose records and journal differ", differences, 0),
    ]


async def prove_debts(council: Council, sample: SampleCouncil) -> list[Proof]:
    """What the sample charged, what came in, and what is left."""
    rows = await council.auditor.rows("/v1/receivables/export.csv", debt_type=DEBT_TYPE)
    charged = sum(one.gross_pence for one in sample.receivables)
    cancelled = next(one.gross_pence for one in sample.receivables if one.number == sample.debts.cancelled)
    received = sum(one.amount_pence for one in sample.receipts)
    on_account = sum(one.amount_pence for one in sample.receipts if one.settles is None)
    outstanding = sum(pence(row["outstanding_pounds"]) for row in rows)
    left = charged - cancelled - (received - on_account)
    return [
        Proof("charges raised", len(rows), len(sample.receivables)),
        Proof("gross of charges", sum(pence(row["gross_pounds"]) for row in rows), charged, money=True),
        Proof("still owed = charged - cancelled - received for charges", outstanding, left, money=True),
    ]
