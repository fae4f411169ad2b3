"""Published spending files go in as they are, a few ahead of the one that is being read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.council_api import Council, Refused
from demo.proofs.proof import Proof, show
from demo.real_data.archives import Control, PublishedFile, control_figures, names_in, published_files
from demo.real_data.readings import show_readings
from demo.real_data.spend_checks import BodyFigures, adds_nothing
from demo.steps import Steps, Tick, pounds, table
from demo.stories.import_files import ENDED, until_ended

AHEAD = 6
POLL_SECONDS = 0.25
# The longest file has some 15,000 lines; an hour means that nothing moves any more.
PATIENCE_SECONDS = 3_600.0


async def import_published_spending(
    council: Council, folder: Path, steps: Steps, *, bodies: Sequence[str], limit_files: int | None
) -> bool:
    """Each body's files, then its first file once more; false when a line or a penny is missing."""
    controls = control_figures(folder)
    figures: dict[str, BodyFigures] = {}
    repeated: list[bool] = []
    for body in bodies:
        names = names_in(folder, body, limit=limit_files)
        total = sum(controls[name].lines for name in names)
        files = published_files(folder, body, limit=limit_files)
        with steps.step(f"Published spending: {body}", total) as tick:
            figures[body], first = await _Importing(council, controls, tick).all_of(files)
        again = next(published_files(folder, body, limit=1))
        with steps.step(f"{body}: the first file once more", 1) as tick:
            repeated.append(adds_nothing(first, await _sent_again(council, again)))
            tick()
    steps.pause()
    show_readings(steps.console, {body: one.readings for body, one in figures.items()})
    _show(steps, figures)
    for fault in (fault for one in figures.values() for fault in one.faults):
        steps.console.print(f"  {fault}", style="red", highlight=False)
    return show(steps.console, "Published spending", _proofs(figures, repeated))


class _Importing:
    """One body's files on their way; figures are taken from each as it ends."""

    def __init__(self, council: Council, controls: dict[str, Control], tick: Tick) -> None:
        self._council = council
        self._controls = controls
        self._tick = tick
        self._on_the_way: deque[tuple[str, str]] = deque()
        self._first: dict[str, Any] | None = None
        self._figures = BodyFigures()

    async def all_of(self, files: Iterator[PublishedFile]) -> tuple[BodyFigures, dict[str, Any]]:
        """The body's figures and its first import."""
        began: list[datetime] = []
        ended: list[datetime] = []
        while (file := await asyncio.to_thread(next, files, None)) is not None:
            await self._send(file)
            if len(self._on_the_way) > AHEAD:
                await self._take_oldest(began, ended)
        while self._on_the_way:
            await self._take_oldest(began, ended)
        if self._first is None:
            raise RuntimeError("the archive has no files")
        self._figures.seconds = (max(ended) - min(began)).total_seconds()
        return self._figures, self._first

    async def _send(self, file: PublishedFile) -> None:
        try:
            import_id = await send(self._council, file, key=f"published-{file.name}")
        except Refused as refused:
            # A file without a byte is refused at the door: there is nothing to import.
            self._figures.add_refused_whole(file.name, refused.code)
        else:
            self._on_the_way.append((file.name, import_id))

    async def _take_oldest(self, began: list[datetime], ended: list[datetime]) -> None:
        name, import_id = self._on_the_way.popleft()
        import_ = await self._ended(import_id)
        self._first = self._first or import_
        self._figures.add(name, import_, self._controls[name])
        if import_["lines_refused"]:
            async for line in self._council.erp.items(f"/v1/invoice-imports/{import_id}/refusals"):
                self._figures.refused_codes[line["code"]] += 1
        began.append(datetime.fromisoformat(import_["progress"]["started_at"]))
        ended.append(datetime.fromisoformat(import_["progress"]["finished_at"]))

    async def _ended(self, import_id: str) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        counted = 0
        while True:
            import_: dict[str, Any] = await self._council.erp.get(f"/v1/invoice-imports/{import_id}")
            taken = import_["lines_accepted"] + import_["lines_existing"] + import_["lines_refused"]
            self._tick(taken - counted)
            counted = taken
            if import_["status"] in ENDED:
                return import_
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{import_['filename']} did not end")
            await asyncio.sleep(POLL_SECONDS)


async def send(council: Council, file: PublishedFile, *, key: str) -> str:
    """Send a file as it was published; unknown suppliers are registered on the way."""
    sent = await council.erp.upload(
        "/v1/invoice-imports",
        file.content,
        media_type="application/octet-stream",
        key=key,
        filename=file.name.replace("/", "-"),
        format="csv",
        profile="published_spend",
        source_system=file.body,
        unknown_suppliers="register",
    )
    return str(sent["id"])


async def _sent_again(council: Council, file: PublishedFile) -> dict[str, Any]:
    import_id = await send(council, file, key=f"published-again-{file.name}")
    return await until_ended(council, import_id, seconds=PATIENCE_SECONDS)


def _show(steps: Steps, figures: dict[str, BodyFigures]) -> None:
    headings = ("body", "files", "lines", "accepted", "existing", "refused", "by code", "not read", "sum",
                "own totals agree", "lines/s")  # fmt: skip
    rows = [
        [body, one.files, one.lines, one.accepted, one.existing, one.refused,
         ", ".join(f"{code} {count}" for code, count in sorted(one.refused_codes.items())), one.refused_whole,
         pounds(one.net_pence), f"{one.own_totals_agree} of {one.own_totals}" if one.own_totals else "",
         round(one.lines / one.seconds) if one.seconds else ""]
        for body, one in figures.items()
    ]  # fmt: skip
    steps.console.print(table("Published spending, file by file", headings, rows))
    explained = {
        "Existing lines were published in another file before.": any(one.existing for one in figures.values()),
        "Files not read are empty, or no list of payments.": any(one.refused_whole for one in figures.values()),
        "The one own total that disagrees lost its last digit before publication: a penny.": any(
            one.own_totals_agree < one.own_totals for one in figures.values()
        ),
        "Of two files with two-line headers control sums the gross, we the net: their lines are compared.": any(
            one.sums_differently_taken for one in figures.values()
        ),
    }
    for sentence, applies in explained.items():
        if applies:
            steps.console.print(f"  {sentence}", highlight=False)


def _proofs(figures: dict[str, BodyFigures], repeated: Sequence[bool]) -> list[Proof]:
    files = sum(one.files for one in figures.values())
    at_fault = len({fault.split(":")[0] for one in figures.values() for fault in one.faults})
    proofs = [
        Proof("files whose lines and pennies are all accounted for", files - at_fault, files),
        Proof("first files sent a second time that add nothing", sum(repeated), len(repeated)),
    ]
    for body, one in figures.items():
        proofs.append(
            Proof(f"{body}: accepted + existing + refused = lines", one.accepted + one.existing + one.refused,
                  one.lines)
        )  # fmt: skip
    return proofs
