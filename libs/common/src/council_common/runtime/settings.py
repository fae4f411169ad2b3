"""Settings every service has, from the environment or `.env`; each service adds its own."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from council_common.events.security import KafkaSecurity, Mechanism, Protocol
from council_common.events.topics import RETENTION


class ServiceSettings(BaseSettings):
    """Built when a command starts, never at import."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: Annotated[
        str, Field(description="postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE")
    ]
    kafka_bootstrap_servers: Annotated[str, Field(description="host:port, comma-separated")]
    kafka_security_protocol: Annotated[Protocol, Field(description="SASL_SSL anywhere but on one machine")] = (
        "PLAINTEXT"
    )
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_sasl_username: Annotated[str, Field(description="One for each service: the broker's ACLs name it")] = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_ca_file: Annotated[str, Field(description="PEM; empty: the system's authorities")] = ""
    oidc_issuer: Annotated[str, Field(description="The identity provider whose tokens are accepted")]
    oidc_audience: str = "council-payments"
    client_id: Annotated[str, Field(description="This service as a client of the others")] = ""
    client_secret: SecretStr = SecretStr("")

    supplier_service_url: str = "http://127.0.0.1:8001"
    invoice_service_url: str = "http://127.0.0.1:8002"
    rebate_service_url: str = "http://127.0.0.1:8003"
    debt_service_url: str = "http://127.0.0.1:8004"
    notification_service_url: str = "http://127.0.0.1:8005"

    host: str = "127.0.0.1"
    port: int = 8000
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    kafka_replication_factor: Annotated[int, Field(ge=1, le=5)] = 1
    keep_inbox_days: Annotated[
        int, Field(ge=1, description="At least the topics' retention: what they keep may come again")
    ] = RETENTION.days
    keep_idempotency_keys_days: Annotated[int, Field(ge=1)] = 7
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otel_exporter_otlp_endpoint: str | None = None

    @property
    def kafka_security(self) -> KafkaSecurity:
        """What every client of the broker needs besides its address."""
        return KafkaSecurity(
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self.kafka_sasl_password.get_secret_value(),
            self.kafka_ca_file,
        )
