"""Whether an imported file is all there: every line, every penny, and the council's own total."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from demo.real_data.archives import Control
from demo.real_data.known_exceptions import (
    BLANK_BUT_COUNTED,
    OWN_TOTALS,
    REFUSED_FILES,
    REFUSED_LINES,
    TWO_LINE_HEADERS,
)
from demo.real_data.readings import understood


@dataclass
class BodyFigures:
    """What became of a body's files; `faults` names files that are not all there, never their lines."""

    files: int = 0
    lines: int = 0
    accepted: int = 0
    existing: int = 0
    refused: int = 0
    net_pence: int = 0
    refused_whole: int = 0
    own_totals: int = 0
    own_totals_agree: int = 0
    sums_checked: int = 0
    sums_differently_taken: int = 0
    refused_codes: Counter[str] = field(default_factory=Counter)
    readings: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, name: str, import_: dict[str, Any], control: Control) -> None:
        """Count one ended import in, and check it."""
        if import_["status"] == "failed":
            self.add_refused_whole(name, import_["progress"]["error"]["code"])
            return
        self.files += 1
        self.readings[understood(import_["reading"])] += 1
        self.accepted += import_["lines_accepted"]
        self.existing += import_["lines_existing"]
        self.refused += import_["lines_refused"]
        self.net_pence += import_["net_pence_sum"]
        self._check_lines(name, import_, control)
        self._check_sum(name, import_, control)
        self._check_own_total(name, import_)

    def add_refused_whole(self, name: str, code: str) -> None:
        """Count a file that could not be read at all, at the door or in its first lines."""
        self.files += 1
        self.refused_whole += 1
        if REFUSED_FILES.get(name) != code:
            self.faults.append(f"{name}: refused whole with {code}")

    def _check_lines(self, name: str, import_: dict[str, Any], control: Control) -> None:
        has_total = import_["file_total_pence"] is not None
        taken = import_["lines_accepted"] + import_["lines_existing"] + import_["lines_refused"] + has_total
        explained = BLANK_BUT_COUNTED.get(name, 0) + (name in TWO_LINE_HEADERS)
        self.lines += control.lines - explained - has_total
        if taken + explained != control.lines:
            self.faults.append(f"{name}: {taken:,} lines and {explained} explained, of {control.lines:,}")
        if import_["lines_refused"] != REFUSED_LINES.get(name, 0):
            self.faults.append(f"{name}: {import_['lines_refused']} lines refused")

    def _check_sum(self, name: str, import_: dict[str, Any], control: Control) -> None:
        if name in TWO_LINE_HEADERS:
            self.sums_differently_taken += 1
            return
        self.sums_checked += 1
        own_total = import_["file_total_pence"] or 0
        found = import_["net_pence_sum"] + import_["refused_pence_sum"] + own_total
        if found != control.sum_pence:
            self.faults.append(f"{name}: {found - control.sum_pence:+,} pence against its control figure")

    def _check_own_total(self, name: str, import_: dict[str, Any]) -> None:
        own_total = import_["file_total_pence"]
        if (own_total is not None) != (name in OWN_TOTALS):
            self.faults.append(f"{name}: {'has' if own_total is not None else 'lacks'} a total of its own")
        if own_total is None:
            return
        self.own_totals += 1
        self.own_totals_agree += bool(import_["file_total_agrees"])
        difference = own_total - import_["net_pence_sum"] - import_["refused_pence_sum"]
        if difference != OWN_TOTALS.get(name, 0):
            self.faults.append(f"{name}: {difference:+} pence against the council's own total")


def adds_nothing(first: dict[str, Any], again: dict[str, Any]) -> bool:
    """Whether a file sent a second time found all its lines there."""
    taken = first["lines_accepted"] + first["lines_existing"]
    found = (again["lines_accepted"], again["lines_existing"], again["lines_refused"])
    return found == (0, taken, first["lines_refused"])
