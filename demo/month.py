"""The sample council's month, story by story, then its proofs."""

from __future__ import annotations

from datetime import date

from rich.console import Console

from demo.council_api import Council
from demo.month_tables import show_month
from demo.proofs.events import prove_events, until_handled
from demo.proofs.invoices import prove_invoices
from demo.proofs.ledger import prove_debts, prove_ledger
from demo.proofs.messages import prove_messages, until_sent
from demo.proofs.proof import show
from demo.proofs.rebates import prove_rebates
from demo.sample_council import sample_council
from demo.sample_council.facts import SampleCouncil
from demo.steps import Steps
from demo.stories.bank_changes import change_bank_accounts
from demo.stories.charging import charge_customers
from demo.stories.collecting import collect
from demo.stories.import_files import import_files
from demo.stories.joining import join_the_programme, last_day_played, register_suppliers
from demo.stories.paying import pay
from demo.stories.receiving import judge_invoices, post_invoices


async def play_month(council: Council, console: Console, *, today: date, last_day: date) -> bool:
    """Everything that happens in the month that ends on a day; false when a sum does not hold.

    A month that an earlier run has begun is played to its end, whatever the day.
    """
    played = await last_day_played(council)
    if played not in {None, last_day}:
        console.print("A month is here already; for another one: make clean-data, then make demo.")
    sample = sample_council(played or last_day)
    console.print(f"The sample council's month, which ends on {sample.month.last_day:%A, %d %B %Y}.", highlight=False)
    steps = Steps(console)
    try:
        ids = await register_suppliers(council, sample, steps)
        await join_the_programme(council, sample, ids, steps)
        await post_invoices(council, sample, steps)
        imports = await import_files(council, sample, steps)
        await judge_invoices(council, sample, steps)
        await change_bank_accounts(council, sample, ids, steps)
        await pay(council, sample, ids, steps)
        await charge_customers(council, sample, steps, today=today)
        await collect(council, sample, steps)
        await settle(council, steps)
    finally:
        steps.pause()
    await show_month(council, sample, imports, console)
    return await prove_month(council, sample, console)


async def settle(council: Council, steps: Steps, *, seconds: float = 120.0) -> None:
    """Wait until every event is handled and every message has found its end."""
    with steps.step("Events handled, messages delivered", 2) as tick:
        await until_handled(council.platform, seconds=seconds)
        tick()
        await until_sent(council, seconds=seconds)
        await until_handled(council.platform, seconds=seconds)
        tick()


async def prove_month(council: Council, sample: SampleCouncil, console: Console) -> bool:
    """All sums, each from two places."""
    proofs = [
        ("Invoices: what was sent is what is there", await prove_invoices(council, sample)),
        ("Rebates: recomputed from the sample's own facts", await prove_rebates(council, sample)),
        ("Debts: charged, received, owed", await prove_debts(council, sample)),
        ("The ledger", await prove_ledger(council)),
        ("Messages: logged = delivered", await prove_messages(council)),
        ("Events: published = handled", await prove_events(council.platform)),
    ]
    shown = [show(console, title, lines) for title, lines in proofs]
    return all(shown)
