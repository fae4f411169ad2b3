"""What happened in the month, as readable tables out of the platform's own answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from demo.council_api import Council
from demo.proofs.messages import totals_by
from demo.sample_council.days import Month
from demo.sample_council.facts import Fate, SampleCouncil
from demo.steps import pence, pounds, table
from demo.stories.charging import DEBT_TYPE
from demo.stories.paying import payments_known
from demo.stories.receiving import invoices_known


async def show_month(
    council: Council, sample: SampleCouncil, imports: Sequence[dict[str, Any]], console: Console
) -> None:
    """The files, the invoices, the special cases, the programme, the debts, the messages."""
    known = await invoices_known(council)
    _show_imports(console, imports)
    _show_invoices(console, known)
    await _show_cases(council, sample, known, console)
    await _show_programme(council, sample.month, console)
    await _show_dunning(council, sample.month, console)
    by_outcome = await totals_by(council, "template", "channel", "status")
    rows = [[*key, count] for key, count in sorted(by_outcome.items())]
    console.print(table("Messages", ("template", "channel", "status", "messages"), rows))


def _show_imports(console: Console, imports: Sequence[dict[str, Any]]) -> None:
    rows = [
        [one["filename"], one["lines_read"], one["lines_accepted"], one["lines_existing"], one["lines_refused"],
         pounds(one["net_pence_sum"])]
        for one in imports
    ]  # fmt: skip
    console.print(table("Files", ("file", "lines", "accepted", "existing", "refused", "net"), rows))


def _show_invoices(console: Console, known: dict[str, dict[str, str]]) -> None:
    count = Counter(row["status"] for row in known.values())
    gross: dict[str, int] = defaultdict(int)
    for row in known.values():
        gross[row["status"]] += pence(row["gross_pounds"])
    rows = [[status, count[status], pounds(gross[status])] for status in sorted(count)]
    console.print(table("Invoices", ("status", "invoices", "gross"), rows))


async def _show_cases(
    council: Council, sample: SampleCouncil, known: dict[str, dict[str, str]], console: Console
) -> None:
    payments = await payments_known(council)

    def invoices(fate: Fate) -> str:
        return ", ".join(
            f"{one.number}: {known[one.reference]['status']} {known[one.reference]['hold_reasons']}".strip()
            for one in sample.invoices_with(fate)[:2]
        )

    returned = [one for fate in (Fate.RETURNED_AND_REPAID,) for one in sample.invoices_with(fate)]
    came_back = ", ".join(f"{turn.reference} {payments[turn.reference]['status']}" for turn in returned[0].payments)
    debts = {row["number"]: row for row in await council.auditor.rows("/v1/receivables/export.csv")}

    def debt(number: str) -> str:
        row = debts[number]
        return f"{number}: {row['status']}, owes £{row['outstanding_pounds']}, level {row['dunning_level']}"

    short = {one.number for one in sample.invoices_with(Fate.UNDER_DEDUCTED)}
    variances = [one async for one in council.coordinator.items("/v1/rebate-variances", cause="under_deducted")]
    deducted_short = ", ".join(
        f"{one['invoice_number']}: {pounds(one['difference_pence'])}, {one['status']}"
        for one in variances
        if one["invoice_number"] in short
    )
    false_alarm = sample.invoices_with(Fate.PAID_AFTER_FALSE_ALARM)[0]
    of_supplier = {"supplier_id": known[false_alarm.reference]["supplier_id"]}
    changes = [one async for one in council.auditor.items("/v1/bank-account-changes", **of_supplier)]
    unmatched = [one async for one in council.auditor.items("/v1/receipts", unallocated=True)]
    late = sum((payment.remitted_on - one.received_on).days > 30 for one in sample.invoices for payment in one.payments)
    rows = [
        ["a duplicate, found by its number", invoices(Fate.DUPLICATE)],
        ["an invoice in dispute", invoices(Fate.DISPUTED)],
        ["a part payment, twice half", invoices(Fate.PART_PAID_TWICE)],
        ["a returned payment, paid again", came_back],
        ["late payments, which earn nothing", str(late)],
        ["a rebate deducted short", deducted_short],
        ["a change of bank account, cooling off", invoices(Fate.WAITS_FOR_NEW_ACCOUNT)],
        ["a change that the supplier did not ask for", ", ".join(one["status"] for one in changes)],
        ["the invoice it held", invoices(Fate.PAID_AFTER_FALSE_ALARM)],
        ["a debt in dispute: no letter", debt(sample.debts.disputed)],
        ["a charge raised in error", debt(sample.debts.cancelled)],
        ["left out of the first run by an officer", debt(sample.debts.left_out_of_first_run)],
        ["a debt paid in part", debt(sample.debts.part_paid)],
        ["receipts that cannot be placed", ", ".join(pounds(one["unallocated_pence"]) for one in unmatched)],
    ]
    console.print(table("Cases", ("case", "what became of it"), rows))


async def _show_programme(council: Council, month: Month, console: Console) -> None:
    shown = {"from": month.first_shown.isoformat(), "to": month.last_day.isoformat(), "by": "month"}
    answer = await council.coordinator.get("/v1/programme-kpis", **shown)
    rows = [
        [one["bucket"] or "total", one["paid_count"], one["earned_count"], one["missed_count"],
         pounds(one["expected_pence"]), pounds(one["earned_pence"]), pounds(one["deducted_pence"]),
         one["median_days"]]
        for one in [*answer["items"], answer["total"]]
    ]  # fmt: skip
    headings = ("paid in", "payments", "earned", "missed", "expected £", "earned £", "deducted £", "median days")
    console.print(table("Early payment programme", headings, rows))


async def _show_dunning(council: Council, month: Month, console: Console) -> None:
    rows = []
    since = month.first_shown.isoformat()
    runs = [one async for one in council.auditor.items("/v1/dunning-runs", sort="as_at", as_at_from=since)]
    for run in runs:
        if run["debt_type"] == DEBT_TYPE and run["status"] == "issued":
            levels = {one["level"]: one["notices"] for one in run["outcome"]["by_level"]}
            not_proposed = sum(run["found"]["not_proposed"].values())
            row = [run["as_at"], run["found"]["overdue"], not_proposed, *(levels.get(level, 0) for level in (1, 2, 3))]
            rows.append([*row, run["outcome"]["issued"]])
    headings = ("dunning run", "overdue", "no letter", "level 1", "level 2", "level 3", "sent")
    console.print(table("Dunning", headings, rows))
