"""The council's work on real input: published spending, and two years of receivables."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from demo.council_api import Council
from demo.proofs.events import prove_events, until_handled
from demo.proofs.ledger import prove_ledger
from demo.proofs.messages import prove_messages, until_sent
from demo.proofs.proof import show
from demo.real_data.archives import BODIES
from demo.real_data.open_items import OPEN_ITEMS
from demo.real_data.replay import replay_open_items
from demo.real_data.spend import import_published_spending
from demo.steps import Steps

# A million and a half events go to their subscribers after the last line is in.
PATIENCE_SECONDS = 1_800.0


async def work_on_real_data(
    council: Council, data: Path, console: Console, *, only: list[str] | None, limit_files: int | None
) -> bool:
    """Import, replay, prove; false when a sum does not hold. Rows and names of the input are never shown."""
    wanted = set(only or (*BODIES, OPEN_ITEMS))
    unknown = wanted - {*BODIES, OPEN_ITEMS}
    if unknown:
        raise RuntimeError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join((*BODIES, OPEN_ITEMS))}")
    steps = Steps(console)
    holds = True
    try:
        bodies = [body for body in BODIES if body in wanted]
        if bodies:
            holds &= await import_published_spending(
                council, data / "council-spend", steps, bodies=bodies, limit_files=limit_files
            )
        if OPEN_ITEMS in wanted:
            holds &= await replay_open_items(council, data / "receivables" / "ibm_invoices.csv", steps)
        with steps.step("Events handled, messages delivered", 2) as tick:
            await until_handled(council.platform, seconds=PATIENCE_SECONDS, every=1.0)
            tick()
            await until_sent(council, seconds=PATIENCE_SECONDS)
            await until_handled(council.platform, seconds=PATIENCE_SECONDS, every=0.5)
            tick()
    finally:
        steps.pause()
    shown = [
        show(console, "The ledger", await prove_ledger(council)),
        show(console, "Messages: logged = delivered", await prove_messages(council)),
        show(console, "Events: published = handled", await prove_events(council.platform)),
    ]
    return holds and all(shown)
