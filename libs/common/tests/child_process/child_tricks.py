"""What the child of these tests does with a request: a module that it imports."""

from __future__ import annotations

import os
import time
from typing import Any

from council_common.runtime.child_process import Fetch


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
        case "die":
            os._exit(value)
    return None
