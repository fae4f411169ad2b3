"""A council demands TLS of its database and its broker: in clear, or with a stranger, nothing is spoken."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from council_common.database.sessions import driver_url, make_engine
from council_common.events.consumer import Consumer
from council_common.events.relay import Relay
from council_common.events.security import KafkaSecurity
from council_common.events.topics import create_topics
from council_common.runtime.settings import ServiceSettings
from council_common.service.health import broker_answers
from council_local.ports import LOOPBACK
from council_local.scratch import prepared_kafka, scratch_folder
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from things_service import Things, at_work, things_at

PASSWORD = "correct-horse"


async def _through_the_pool(url: str) -> Any:
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar()
    finally:
        await engine.dispose()


async def _by_itself(url: str) -> Any:
    """As the relay, the jobs and the migrations' engine connect."""
    connection = await asyncpg.connect(driver_url(url))
    try:
        return await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


@pytest.mark.parametrize("connect", [_through_the_pool, _by_itself])
async def test_the_address_of_the_database_may_demand_tls(
    things: Things, connect: Callable[[str], Any], tmp_path: Path
) -> None:
    """The wheel's server has no TLS: the driver refuses where it is demanded, and connects where it is preferred."""
    assert await connect(f"{things.url}?sslmode=prefer") == 1
    with pytest.raises(ConnectionError, match="SSL"):
        await connect(f"{things.url}?sslmode=require")
    authority, _ = _certificate(tmp_path)
    with pytest.raises(ConnectionError, match="SSL"):
        await connect(f"{things.url}?sslmode=verify-full&sslrootcert={authority}")


@pytest.fixture(scope="module")
def secure_broker() -> Iterator[tuple[str, KafkaSecurity]]:
    """A broker that speaks TLS only and asks for a name and a password; how invoice-service reaches it."""
    with scratch_folder("secure-kafka") as folder:
        broker = prepared_kafka(folder)
        authority, keys = _certificate(folder)
        settings = {
            "listeners": f"SECURE://{broker.bootstrap},CONTROLLER://{LOOPBACK}:{broker.controller_port}",
            "advertised.listeners": f"SECURE://{broker.bootstrap}",
            "listener.security.protocol.map": "SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SECURE",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.secure.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule "
            f'required username="broker" password="{PASSWORD}" user_broker="{PASSWORD}" '
            f'user_invoice-service="{PASSWORD}";',
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keys),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority),
        }
        with broker.settings_file.open("a") as file:  # of two lines with one name the last counts
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        try:
            broker.start()
            broker.wait_until_ready()
            yield broker.bootstrap, KafkaSecurity("SASL_SSL", "PLAIN", "invoice-service", PASSWORD, str(authority))
        finally:
            broker.stop()


@pytest.mark.broker
async def test_events_travel_over_tls_under_the_services_name(
    secure_broker: tuple[str, KafkaSecurity], things_template: str, database_url: Callable[[str], str]
) -> None:
    bootstrap, security = secure_broker
    await create_topics(bootstrap, ("secure.v1", "secure.v1.dead"), security=security)
    async with things_at(database_url(things_template), bootstrap, topic="secure.v1", name="secure") as things:
        await things.publish_many(5, things=1)
        relay = Relay(database_url=things.url, bootstrap_servers=bootstrap, service="secure", security=security)
        consumer = Consumer(
            service="secure",
            bootstrap_servers=bootstrap,
            sessions=things.sessions,
            handlers=things.handlers(),
            security=security,
        )
        async with at_work(relay, consumer):
            await things.until_effects(5)


@pytest.mark.broker
async def test_a_client_without_a_name_or_with_a_stranger_s_authority_is_refused(
    secure_broker: tuple[str, KafkaSecurity], tmp_path: Path
) -> None:
    bootstrap, security = secure_broker
    assert await broker_answers(bootstrap, security)
    stranger, _ = _certificate(tmp_path)
    assert not await broker_answers(bootstrap)
    assert not await broker_answers(bootstrap, replace(security, protocol="SSL"))
    assert not await broker_answers(bootstrap, replace(security, password="guessed"))
    assert not await broker_answers(bootstrap, replace(security, ca_file=str(stranger)))


def test_the_settings_say_how_the_broker_is_reached(tmp_path: Path) -> None:
    given = {"database_url": "postgresql://nowhere", "kafka_bootstrap_servers": "nowhere:1", "oidc_issuer": "https://i"}
    assert ServiceSettings(_env_file=None, **given).kafka_security.options == {"security_protocol": "PLAINTEXT"}
    authority, _ = _certificate(tmp_path)
    secure = ServiceSettings(
        _env_file=None,
        **given,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="invoice-service",
        kafka_sasl_password=PASSWORD,
        kafka_ca_file=str(authority),
    )
    options = secure.kafka_security.options
    assert options["ssl_context"].check_hostname
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "invoice-service")
    assert PASSWORD not in repr(secure) + repr(secure.kafka_security)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback, signed by itself: the file to trust, and the file of the server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "authority.pem").write_bytes(public)
    (folder / "server.pem").write_bytes(private + public)
    return folder / "authority.pem", folder / "server.pem"
