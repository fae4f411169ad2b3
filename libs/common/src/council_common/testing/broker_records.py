"""Records as the broker gives them, without a broker."""

from __future__ import annotations

from aiokafka import ConsumerRecord

from council_common.events.broker_records import Record
from council_common.events.outbox import OutboxRow


def record_of(row: OutboxRow, *, offset: int, partition: int = 0) -> Record:
    """An event of the outbox as a consumer takes it from its topic."""
    key = str(row.aggregate_id).encode()
    return ConsumerRecord(
        topic=row.topic,
        partition=partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=row.payload,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(row.payload),
        headers=(("ce_type", row.type.encode()),),
    )
