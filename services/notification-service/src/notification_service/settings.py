"""Settings of notification-service: those every service has, and how mail leaves."""

from datetime import timedelta
from typing import Annotated

from council_common.runtime.service_runtime import Runtime
from council_common.runtime.settings import ServiceSettings
from pydantic import Field, SecretStr

# A plain address in ASCII with a domain: mail of another sender is refused message by message.
Mailbox = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=254)
]


class Settings(ServiceSettings):
    """Built in `main.py`, never at import."""

    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 8025
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: Annotated[bool, Field(description="Refuse to send in clear text")] = False
    smtp_connections: Annotated[int, Field(ge=1, le=20, description="Used side by side, for many messages")] = 4
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 30.0
    send_lease_seconds: Annotated[
        int, Field(ge=1, le=3600, description="After a crash a message is taken again when this is over")
    ] = 60

    mail_from: Annotated[Mailbox, Field(description="Its domain is also how we greet the mail server")] = (
        "payments@council.example"
    )
    print_room_mailbox: Annotated[Mailbox, Field(description="Takes letters to be printed and posted")] = (
        "print-room@council.example"
    )
    council_name: str = "Sample Council"
    council_contact: Annotated[str, Field(description="How people reach us, in the words of a letter")] = (
        "Reply to this message, or write to payments@council.example."
    )
    council_how_to_pay: Annotated[str, Field(description="How people pay, in the words of a letter")] = (
        "Pay on our website, by phone or by bank transfer."
    )

    @property
    def send_lease(self) -> timedelta:
        return timedelta(seconds=self.send_lease_seconds)


def settings_of(runtime: Runtime) -> Settings:
    """This service's settings out of a runtime."""
    if not isinstance(runtime.settings, Settings):
        raise TypeError("notification-service runs with its own settings")
    return runtime.settings
