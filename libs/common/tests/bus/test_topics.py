"""Topics are created with their retention, so that a replay from any date is possible."""

import asyncio
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from council_common.events.topics import RETENTION, SETTINGS, create_topics
from council_common.runtime.settings import ServiceSettings

NAMES = ("kept.v1", "kept.v1.dead")


async def test_topics_keep_their_events_for_seven_years(shared_kafka: Any) -> None:
    assert await create_topics(shared_kafka.bootstrap, NAMES) == list(NAMES)
    settings = await _settings(shared_kafka.bootstrap, NAMES)
    assert set(settings) == set(NAMES)
    for of_topic in settings.values():
        assert of_topic["cleanup.policy"] == "delete"
        assert timedelta(milliseconds=int(of_topic["retention.ms"])) == RETENTION >= timedelta(days=7 * 365)
        assert of_topic["retention.bytes"] == "-1"


async def test_the_retention_of_an_existing_topic_is_brought_to_what_is_declared(shared_kafka: Any) -> None:
    """What an operator set beside it stays."""
    admin = AIOKafkaAdminClient(bootstrap_servers=shared_kafka.bootstrap)
    await admin.start()
    by_hand = {"retention.ms": "86400000", "segment.bytes": "1048576"}
    await admin.create_topics([NewTopic("short.v1", 1, 1, topic_configs=by_hand)])
    while "short.v1" not in await admin.list_topics():
        await asyncio.sleep(0.1)
    await admin.close()
    assert await create_topics(shared_kafka.bootstrap, ("short.v1",)) == []
    now = (await _settings(shared_kafka.bootstrap, ("short.v1",)))["short.v1"]
    assert SETTINGS.items() <= now.items()
    assert now["segment.bytes"] == "1048576"


async def _settings(bootstrap: str, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    finally:
        await admin.close()
    topics = [topic for response in responses for topic in response.resources]
    return {topic[3]: {entry[0]: entry[1] for entry in topic[4]} for topic in topics}


def test_marks_are_kept_as_long_as_events_may_come_again() -> None:
    settings = ServiceSettings(
        _env_file=None,
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere:1",
        oidc_issuer="https://i",
    )
    assert timedelta(days=settings.keep_inbox_days) >= RETENTION
