"""The topics of the platform. They are declared here and created by a command, never by accident."""

from collections.abc import Iterable
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.observability.logs import get_logger

log = get_logger()

PARTITIONS = 6
TOPICS = ("suppliers.v1", "invoices.v1", "rebates.v1", "debts.v1", "notifications.v1")

RETENTION = timedelta(days=7 * 365 + 2)
"""Seven years: a new subscriber reads what happened from the start. No personal data is in any event."""

# By time alone: a limit of size that the broker has for all topics would end it earlier.
SETTINGS = {
    "cleanup.policy": "delete",
    "retention.ms": str(RETENTION // timedelta(milliseconds=1)),
    "retention.bytes": "-1",
}

# Kafka's numbers: of a setting's source, and of the error of a topic that somebody else has just created.
_SET_FOR_THE_TOPIC, _EXISTS = 1, 36


def dead_topic(topic: str) -> str:
    """Where events of a topic go that could not be handled."""
    return f"{topic}.dead"


ALL_TOPICS = TOPICS + tuple(dead_topic(topic) for topic in TOPICS)


async def create_topics(
    bootstrap_servers: str,
    topics: tuple[str, ...] = ALL_TOPICS,
    *,
    partitions: int = PARTITIONS,
    replication_factor: int = 1,
    security: KafkaSecurity = IN_CLEAR,
) -> list[str]:
    """Create the topics that are missing and return their names; bring the settings of the others to what is declared.

    What an operator set beside ours stays. Raises KafkaError where the caller may not create or change topics.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, **security.options)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        missing = sorted(set(topics) - present)
        if missing:
            created = await admin.create_topics(
                [
                    NewTopic(
                        name=name,
                        num_partitions=partitions,
                        replication_factor=replication_factor,
                        topic_configs=SETTINGS,
                    )
                    for name in missing
                ]
            )
            _check((error[1], error[2]) for error in created.topic_errors if error[1] != _EXISTS)
        await _settle(admin, sorted(set(topics) & present))
        return missing
    finally:
        await admin.close()


async def _settle(admin: AIOKafkaAdminClient, topics: list[str]) -> None:
    """Give existing topics the declared settings. Kafka's request replaces all that was set, so the rest goes along."""
    if not topics:
        return
    asked = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    changed = []
    for answer in asked:
        _check((code, text) for code, text, *_ in answer.resources)
        for *_, name, entries in answer.resources:
            set_here = {key: value for key, value, _, source, *_ in entries if source == _SET_FOR_THE_TOPIC}
            if not SETTINGS.items() <= set_here.items():
                changed.append(ConfigResource(ConfigResourceType.TOPIC, name, configs=set_here | SETTINGS))
                log.warning("topic_settings_differ", topic=name, was={key: set_here.get(key) for key in SETTINGS})
    if changed:
        for answer in await admin.alter_configs(changed):
            _check((code, text) for code, text, *_ in answer.resources)


def _check(results: Iterable[tuple[int, str | None]]) -> None:
    for code, text in results:
        if code:
            raise for_code(code)(text or "")
