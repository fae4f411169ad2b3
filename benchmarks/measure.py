"""Measuring: alternating runs of a path and of its limit, the medians, and their ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

ROUNDS = 3

Run = Callable[[], Awaitable[int]]
"""One run; returns how many it did."""


@dataclass(frozen=True)
class Measured:
    """A path beside its limit, in things per second (or seconds a thing where `unit` says ms)."""

    path: str
    limit: str
    ours: float
    bound: float
    reach: float
    aim: float
    unit: Literal["/s", "ms"] = "/s"
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.bound

    @property
    def reached(self) -> bool:
        return self.ratio >= self.reach if self.unit == "/s" else self.ratio <= self.reach


async def rate(run: Run) -> float:
    """Things per second of one run."""
    began = time.perf_counter()
    count = await run()
    return count / (time.perf_counter() - began)


async def alternating(ours: Run, bound: Run, *, rounds: int = ROUNDS) -> tuple[float, float]:
    """Medians of the path and of its limit, taken in turns so that both meet the same machine."""
    pairs = [(await rate(bound), await rate(ours)) for _ in range(rounds)]
    return statistics.median(pair[1] for pair in pairs), statistics.median(pair[0] for pair in pairs)
