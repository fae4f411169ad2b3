"""Settings every service has, from the environment or `.env`; each service adds its own."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Built in `main.py` and `worker.py`, never at import."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: Annotated[str, Field(description="postgresql://user:password@host:port/database")]
    kafka_bootstrap_servers: Annotated[str, Field(description="host:port, comma-separated")]
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
    keep_inbox_days: Annotated[int, Field(ge=1, description="At least the broker's retention")] = 30
    keep_idempotency_keys_days: Annotated[int, Field(ge=1)] = 7
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otel_exporter_otlp_endpoint: str | None = None
