"""On a shared machine the broker asks for a name: no other user forges an event, no service writes another's topic."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.events.access import (
    READS,
    SUBSCRIBER,
    WRITES,
    BrokerTrustsEverybodyError,
    Grant,
    grant_access,
    grants,
)
from council_common.events.envelope import seal
from council_common.events.relay import make_producer
from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.events.topics import ALL_TOPICS, create_topics
from council_common.ids import new_id
from council_local.kafka import Kafka, StorageWithoutUsersError
from council_local.kafka_users import BROKER, KafkaUsers
from council_local.ports import LOOPBACK
from council_local.scratch import ScratchKafka, prepared_kafka, scratch_folder

pytestmark = pytest.mark.broker
PATIENCE_SECONDS = 15


@pytest.fixture(scope="module")
def users() -> Iterator[KafkaUsers]:
    with scratch_folder("users") as folder:
        yield KafkaUsers(folder / "kafka-users.json")


@pytest.fixture(scope="module")
def broker(users: KafkaUsers) -> Iterator[Kafka]:
    """A broker as the local platform starts it."""
    with scratch_folder("kafka-with-users") as folder:
        server = prepared_kafka(folder, users)
        try:
            server.start()
            server.wait_until_ready()
            admin = users.security_of(BROKER)
            asyncio.run(create_topics(server.bootstrap, ALL_TOPICS, security=admin))
            asyncio.run(grant_access(server.bootstrap, security=admin))
            yield server
        finally:
            server.stop()


async def send(bootstrap: str, topic: str, security: KafkaSecurity) -> None:
    """Send a notice as debt-service's relay would."""
    producer = make_producer(bootstrap, security)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await producer.start()
            event = DunningNoticeIssuedV1.example()
            await producer.send_and_wait(topic, seal(event, event_id=new_id()), key=str(event.key).encode())
    finally:
        await producer.stop()


async def read_one(bootstrap: str, topic: str, security: KafkaSecurity, *, group: str) -> bytes:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", **security.options
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await consumer.start()
            return (await consumer.getone()).value or b""
    finally:
        await consumer.stop()


@pytest.mark.parametrize("port", ["port", "controller_port"])
async def test_a_forged_producer_is_refused(broker: Kafka, users: KafkaUsers, port: str) -> None:
    """Neither the broker's port nor the controller's takes one without a name, or with a guessed secret."""
    bootstrap = f"{LOOPBACK}:{getattr(broker, port)}"
    guessed = replace(users.security_of("debt-service"), password="guessed")
    for forger in (IN_CLEAR, guessed, replace(guessed, mechanism="PLAIN", username=BROKER)):
        with pytest.raises((KafkaError, TimeoutError)):
            await send(bootstrap, "debts.v1", forger)


async def test_a_service_writes_its_own_topic_and_its_reader_reads_it(broker: Kafka, users: KafkaUsers) -> None:
    await send(broker.bootstrap, "debts.v1", users.security_of("debt-service"))
    reader = "notification-service"
    value = await read_one(broker.bootstrap, "debts.v1", users.security_of(reader), group=reader)
    assert b"dunning-notice.issued" in value


@pytest.mark.parametrize("service", sorted(WRITES))
async def test_a_service_may_not_write_another_s_topic(broker: Kafka, users: KafkaUsers, service: str) -> None:
    security = users.security_of(service)
    may_write = {WRITES[service], *(f"{topic}.dead" for topic in READS[service])}
    for topic in sorted(set(ALL_TOPICS) - may_write):
        with pytest.raises(TopicAuthorizationFailedError):
            await send(broker.bootstrap, topic, security)
    for topic in sorted(may_write - {WRITES[service]}):
        await send(broker.bootstrap, topic, security)


async def test_a_service_may_not_read_what_it_does_not_subscribe_to(broker: Kafka, users: KafkaUsers) -> None:
    security = users.security_of("debt-service")
    with pytest.raises(TopicAuthorizationFailedError):
        await read_one(broker.bootstrap, "suppliers.v1", security, group="debt-service")
    with pytest.raises(GroupAuthorizationFailedError):
        await read_one(broker.bootstrap, "notifications.v1", security, group="notification-service")


async def test_another_system_reads_events_and_writes_none(broker: Kafka, users: KafkaUsers) -> None:
    await send(broker.bootstrap, "debts.v1", users.security_of("debt-service"))
    security = users.security_of(SUBSCRIBER)
    value = await read_one(broker.bootstrap, "debts.v1", security, group="subscriber-data-warehouse")
    assert b"dunning-notice.issued" in value
    with pytest.raises(GroupAuthorizationFailedError):
        await read_one(broker.bootstrap, "debts.v1", security, group="notification-service")
    with pytest.raises(KafkaError):  # it may write nothing: no producer of its own even begins
        await send(broker.bootstrap, "debts.v1", security)


async def test_what_was_granted_beside_the_declaration_is_taken_back(broker: Kafka, users: KafkaUsers) -> None:
    admin = users.security_of(BROKER)
    assert not await grant_access(broker.bootstrap, security=admin)
    prefixed = 4
    too_much = next(one for one in grants() if one.user == "supplier-service")._replace(name="d", pattern=prefixed)
    await _grant(broker.bootstrap, admin, too_much)
    await send(broker.bootstrap, "debts.v1", users.security_of("supplier-service"))
    assert await grant_access(broker.bootstrap, security=admin)
    with pytest.raises(TopicAuthorizationFailedError):
        await send(broker.bootstrap, "debts.v1", users.security_of("supplier-service"))


async def _grant(bootstrap: str, admin: KafkaSecurity, grant: Grant) -> None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **admin.options)
    await client.bootstrap()
    await client.send(client.get_random_node(), CreateAclsRequest(*grant))
    await client.close()


async def test_a_service_may_change_neither_topics_nor_access(broker: Kafka, users: KafkaUsers) -> None:
    security = users.security_of("debt-service")
    with pytest.raises(KafkaError):
        await create_topics(broker.bootstrap, ("debts.v2",), security=security)
    with pytest.raises(KafkaError):
        await grant_access(broker.bootstrap, security=security)


async def test_a_broker_without_access_lists_is_not_taken_for_one_that_has_them(shared_kafka: ScratchKafka) -> None:
    assert not await grant_access(shared_kafka.bootstrap)  # in clear nobody has a name
    with pytest.raises((BrokerTrustsEverybodyError, KafkaError)):
        await grant_access(shared_kafka.bootstrap, security=KafkaSecurity("PLAINTEXT", username="topics"))


def test_events_and_secrets_are_their_owners_alone(broker: Kafka, users: KafkaUsers) -> None:
    assert stat.S_IMODE(broker.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(broker.settings_file.stat().st_mode) == 0o600
    assert not list(broker.data.glob("*.arguments"))
    command = " ".join(broker.child.program.command)
    assert not any(secret in command for secret in users.secrets().values())


def test_a_storage_without_users_is_named_and_not_opened(tmp_path: Path) -> None:
    prepared_kafka(tmp_path)
    with pytest.raises(StorageWithoutUsersError, match="make clean-data"):
        prepared_kafka(tmp_path, KafkaUsers(tmp_path / "kafka-users.json"))
