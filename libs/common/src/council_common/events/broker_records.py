"""Records of the broker, read: which of them are ours, and what each says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from council_common.events.contract import Event
from council_common.events.dead_letters import DeadRecord
from council_common.events.envelope import Envelope, NotTheProducers, read_told, type_of
from council_common.observability.safe_text import safe_text

Record: TypeAlias = ConsumerRecord[bytes | None, bytes | None]


class Taken(NamedTuple):
    """A record we subscribe to; `envelope` is None where it cannot be read, and `reason` says why."""

    record: Record
    key: tuple[str, str]
    type: str | None
    envelope: Envelope[Any] | None
    reason: str = ""

    def dead(self, reason: str, attempts: int) -> DeadRecord:
        """As it is put aside."""
        topic, key = self.key
        payload = self.record.value or b""
        return DeadRecord(topic, self.record.partition, self.record.offset, key, self.type, payload, reason, attempts)


def take(record: Record, types: Mapping[str, type[Event]]) -> Taken | None:
    """Read a record; None when its type is not among `types`."""
    named = dict(record.headers).get("ce_type")
    event_type = _words(named) if named else None
    topic, key = topic_and_key = record.topic, _words(record.key or b"")
    payload = record.value or b""
    try:
        event_type = event_type or type_of(payload)
        if event_type not in types:
            return None
        envelope = read_told(payload, types[event_type], topic=topic, key=key)
    except ValidationError as wrong:
        return Taken(record, topic_and_key, event_type, None, f"cannot be read: {safe_text(wrong)}")
    except NotTheProducers as wrong:
        return Taken(record, topic_and_key, event_type, None, str(wrong))
    return Taken(record, topic_and_key, event_type, envelope)


def _words(raw: bytes) -> str:
    """Bytes of a header or a key as text that PostgreSQL keeps: what is no text is written as escapes."""
    return raw.decode(errors="backslashreplace").replace("\0", "\\x00")
