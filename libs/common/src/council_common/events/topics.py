"""The topics of the platform. They are declared here and created by a command, never by accident."""

from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from council_common.events.security import IN_CLEAR, KafkaSecurity

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
    """Create the topics that are missing, with their retention, and return their names.

    Existing ones are left as they are.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, **security.options)
    await admin.start()
    try:
        missing = sorted(set(topics) - set(await admin.list_topics()))
        if missing:
            await admin.create_topics(
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
        return missing
    finally:
        await admin.close()
