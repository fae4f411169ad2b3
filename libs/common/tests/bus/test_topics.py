"""Topics are created with their retention, so that a replay from any date is possible."""

from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from council_common.events.topics import RETENTION, create_topics
from council_common.runtime.settings import ServiceSettings

NAMES = ("kept.v1", "kept.v1.dead")


async def test_topics_keep_their_events_for_seven_years(shared_kafka: Any) -> None:
    assert await create_topics(shared_kafka.bootstrap, NAMES) == list(NAMES)
    admin = AIOKafkaAdminClient(bootstrap_servers=shared_kafka.bootstrap)
    await admin.start()
    try:
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in NAMES]
        responses = await admin.describe_configs(asked)
    finally:
        await admin.close()
    topics = [topic for response in responses for topic in response.resources]
    settings = {topic[3]: {entry[0]: entry[1] for entry in topic[4]} for topic in topics}
    assert set(settings) == set(NAMES)
    for of_topic in settings.values():
        assert of_topic["cleanup.policy"] == "delete"
        assert timedelta(milliseconds=int(of_topic["retention.ms"])) == RETENTION >= timedelta(days=7 * 365)
        assert of_topic["retention.bytes"] == "-1"


def test_marks_are_kept_as_long_as_events_may_come_again() -> None:
    settings = ServiceSettings(
        _env_file=None,
        database_url="postgresql://nowhere",
        kafka_bootstrap_servers="nowhere:1",
        oidc_issuer="https://i",
    )
    assert timedelta(days=settings.keep_inbox_days) >= RETENTION
