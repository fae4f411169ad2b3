"""The local broker's users: each service under a name and a secret of its own, the broker under one that may do all.

Every user of the machine reaches the broker's ports. SCRAM also proves the broker to its clients: while it is away,
another program on its port learns no secret. The controller's port takes the broker alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from council_common.events.access import SUBSCRIBER, WRITES
from council_common.events.security import KafkaSecurity, Mechanism

from council_local.keys import write_secret

BROKER = "broker"
USERS = (BROKER, *WRITES, SUBSCRIBER)
MECHANISM: Mechanism = "SCRAM-SHA-512"
# The fewest that Kafka takes; our secrets have 256 random bits, more rounds would protect nothing.
ROUNDS = 4096
_SECURITY = "org.apache.kafka.common.security"


class KafkaUsers:
    """The users of one broker and their secrets, in a file of their owner's."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def exist(self) -> bool:
        """Whether every user has a secret."""
        return self._known().keys() >= set(USERS)

    def secrets(self) -> Mapping[str, str]:
        """The secrets by user; the first caller makes them."""
        if not self.exist():
            made = {name: secrets.token_urlsafe(32) for name in USERS}
            write_secret(self._file, json.dumps(made | self._known(), indent=2).encode())
        return self._known()

    def security_of(self, user: str) -> KafkaSecurity:
        """How a user reaches the broker."""
        return KafkaSecurity("SASL_PLAINTEXT", MECHANISM, user, self.secrets()[user])

    def storage_options(self) -> list[str]:
        """What makes the users when the broker's storage is formatted."""
        known = self.secrets()
        return [
            word
            for name, secret in known.items()
            for word in ("--add-scram", f"{MECHANISM}=[name={name},password={secret},iterations={ROUNDS}]")
        ]

    def settings(self) -> dict[str, object]:
        """What makes the broker ask for names and keep access lists, its own two connections included."""
        secret = self.secrets()[BROKER]
        own = f'username="{BROKER}" password="{secret}"'
        return {
            "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "CLIENTS",
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            "listener.name.clients.sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.clients.{MECHANISM.lower()}.sasl.jaas.config": (
                f"{_SECURITY}.scram.ScramLoginModule required {own};"
            ),
            # The users of SCRAM stand in what the controller keeps, which nobody has read before it was reached.
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": (
                f'{_SECURITY}.plain.PlainLoginModule required {own} user_{BROKER}="{secret}";'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{BROKER}",
        }

    def _known(self) -> dict[str, str]:
        known: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return known
