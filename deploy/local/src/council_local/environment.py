"""The environment the platform is started in, with what `.env` in the checkout adds to it."""

from __future__ import annotations

import os

from dotenv import dotenv_values

from council_local.folders import CHECKOUT


def environment_with_file() -> dict[str, str]:
    """The environment, and `.env` in the checkout for what the environment leaves open."""
    from_file = {name: value for name, value in dotenv_values(CHECKOUT / ".env").items() if value is not None}
    return {**from_file, **os.environ}
