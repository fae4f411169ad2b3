"""What the child of these tests does with a request: a module that it imports."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from council_common.runtime.child_process import Fetch


class _RunsInItsReader:
    """What a child that was taken over might answer."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self._path,)


def handle(request: tuple[str, Any], fetch: Fetch) -> Any:
    """Answer one of the tests' requests."""
    what, value = request
    match what:
        case "double":
            return 2 * value
        case "sum of what you give":
            return sum(fetch(number) for number in range(value))
        case "fail":
            raise LookupError(value)
        case "sleep":
            time.sleep(value)
        case "take memory":
            return len(bytearray(value))
        case "environment":
            return dict(os.environ)
        case "something to run":
            return _RunsInItsReader(value)
        case "a library's error":
            raise json.JSONDecodeError(value, "", 0)
        case "die":
            os._exit(value)
    return None
