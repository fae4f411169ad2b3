"""Settings of rebate-service: those every service has."""

from council_common.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Built in `main.py`, never at import."""
