"""`python -m council_local.run_service NAME`: a service as it runs in its image, which has neither rich nor pygments.

httpx, structlog and mako load them wherever they are installed: 8 MiB in each of five processes, for colours in a log
that is a file. Here they are installed for the supervisor's own display.
"""

from __future__ import annotations

import runpy
import sys

NOT_IN_THE_IMAGE = ("rich", "pygments")


def main(name: str) -> None:
    """Bring the service's tables up to date, then run its API and worker in this process."""
    # What stands as None cannot be imported, as if it were not installed.
    sys.modules.update(dict.fromkeys(NOT_IN_THE_IMAGE))  # type: ignore[arg-type]
    sys.argv = [f"{name}_service", "serve"]
    runpy.run_module(f"{name}_service", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
