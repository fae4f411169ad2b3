"""Measuring: alternating runs of a path and of its limit, and the pair with the median ratio."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

ROUNDS = 3

Run = Callable[[], Awaitable[int]]
"""One run; returns how many it did."""

Figure = Callable[[], Awaitable[float]]
"""One run that takes its own time (what it prepares is not counted); returns things per second, or milliseconds."""


@dataclass(frozen=True)
class Measured:
    """A path beside its limit, in things per second (or milliseconds a thing where `unit` says ms)."""

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
        return self._within(self.reach)

    @property
    def verdict(self) -> str:
        if self._within(self.aim):
            return "aim reached"
        return "reached" if self.reached else "NOT REACHED"

    def _within(self, ratio: float) -> bool:
        return self.ratio >= ratio if self.unit == "/s" else self.ratio <= ratio


async def rate(run: Run) -> float:
    """Things per second of one run."""
    began = time.perf_counter()
    count = await run()
    return count / (time.perf_counter() - began)


async def alternating(ours: Run, bound: Run, *, rounds: int = ROUNDS) -> tuple[float, float]:
    """`alternating_figures` of runs whose whole time counts."""
    return await alternating_figures(lambda: rate(ours), lambda: rate(bound), rounds=rounds)


async def alternating_figures(ours: Figure, bound: Figure, *, rounds: int = ROUNDS) -> tuple[float, float]:
    """The path and its limit, taken in turns so that both meet the same machine: the pair with the median ratio."""
    pairs = []
    for _ in range(rounds):
        its_bound = await bound()
        pairs.append((await ours(), its_bound))
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[rounds // 2]
