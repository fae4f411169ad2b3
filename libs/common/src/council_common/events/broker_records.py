"""Records of the broker, read: which of them a service subscribes to, and the event of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from council_common.events.contract import Event
from council_common.events.dead_letters import DeadLetter
from council_common.events.envelope import Envelope, NotFromItsProducer, read_event, type_of
from council_common.observability.safe_text import safe_text

Record: TypeAlias = ConsumerRecord[bytes | None, bytes | None]


class ReadRecord(NamedTuple):
    """A record of a subscribed type; `envelope` is None where it cannot be read, and `reason` says why."""

    record: Record
    key: tuple[str, str]
    type: str | None
    envelope: Envelope[Any] | None
    reason: str = ""

    @property
    def trace_headers(self) -> dict[str, str]:
        """The trace its event belongs to, as W3C headers; empty where it has none."""
        traceparent = self.envelope and self.envelope.traceparent
        return {"traceparent": traceparent} if traceparent else {}

    def dead_letter(self, reason: str, attempts: int) -> DeadLetter:
        """As it is kept where it cannot be handled."""
        topic, key = self.key
        payload = self.record.value or b""
        return DeadLetter(topic, self.record.partition, self.record.offset, key, self.type, payload, reason, attempts)


def read_record(record: Record, types: Mapping[str, type[Event]]) -> ReadRecord | None:
    """Read a record; None when its type is not among `types`."""
    named = dict(record.headers).get("ce_type")
    event_type = _text(named) if named else None
    topic, key = topic_and_key = record.topic, _text(record.key or b"")
    payload = record.value or b""
    try:
        event_type = event_type or type_of(payload)
        if event_type not in types:
            return None
        envelope = read_event(payload, types[event_type], topic=topic, key=key)
    except ValidationError as fault:
        return ReadRecord(record, topic_and_key, event_type, None, f"cannot be read: {safe_text(fault)}")
    except NotFromItsProducer as fault:
        return ReadRecord(record, topic_and_key, event_type, None, str(fault))
    return ReadRecord(record, topic_and_key, event_type, envelope)


def _text(raw: bytes) -> str:
    """Bytes of a header or a key as text that PostgreSQL keeps: what is not UTF-8 is written as escapes."""
    return raw.decode(errors="backslashreplace").replace("\0", "\\x00")
