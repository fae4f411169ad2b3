"""Whose invoice it is, where its lines name departments."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

_NO_CODE = re.compile(r"[^a-z0-9]+")


def department_of(lines: Iterable[tuple[str | None, int]]) -> str | None:
    """The department whose lines come to most, as a code for events; None where no line names one.

    `lines` are departments and net pence. Of two that come to the same the first counts. Source: our policy; reports
    by department count an invoice once.

    >>> department_of([("Adult Social Care", 5_000), ("Highways", 3_000), ("Highways", 3_000), (None, 90_000)])
    'highways'
    """
    sums: dict[str, int] = defaultdict(int)
    for department, net_pence in lines:
        if department and (code := _code_of(department)):
            sums[code] += abs(net_pence)
    return max(sums, key=lambda code: sums[code], default=None)


@lru_cache(maxsize=4_096)
def _code_of(department: str) -> str:
    return _NO_CODE.sub("_", department.lower()).strip("_")[:60]
