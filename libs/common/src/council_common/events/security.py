"""How the broker is reached: in clear on one machine, over TLS with a name and a password anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from aiokafka.helpers import create_ssl_context

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class KafkaSecurity:
    """What Kafka's clients need besides the address. `ca_file` is PEM; empty means the system's authorities."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    @cached_property
    def options(self) -> dict[str, Any]:
        """The arguments of any of aiokafka's clients. Over TLS the certificate and the host's name are checked."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol in {"SSL", "SASL_SSL"}:
            options["ssl_context"] = create_ssl_context(cafile=self.ca_file or None)
        if self.protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options


IN_CLEAR = KafkaSecurity()
