"""What is published on a `.dead` topic, as the AsyncAPI document describes it (a test holds a real one to it)."""

from __future__ import annotations

from typing import Any

from council_common.events.dead_letters import PUBLISHED_BYTES

DEAD_LETTER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "id", "topic", "partition", "offset", "key", "type", "reason", "attempts", "failed_at", "payload",
        "payload_bytes",
    ],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The dead letter, as `replay-dead` names it."},
        "topic": {"type": "string", "description": "Where the record stood, with its partition and offset."},
        "partition": {"type": "integer", "minimum": 0},
        "offset": {"type": "integer", "minimum": 0},
        "key": {"type": "string", "description": "The record's key: an aggregate's id."},
        "type": {"type": ["string", "null"], "description": "The event's type, where the record names one."},
        "reason": {"type": "string", "maxLength": 2000, "description": "Why it could not be handled; no values."},
        "attempts": {"type": "integer", "minimum": 0, "description": "0: it waits behind an earlier dead letter."},
        "failed_at": {"type": "string", "format": "date-time"},
        "payload": {"type": "string", "description": f"At most the first {PUBLISHED_BYTES} bytes of the record."},
        "payload_bytes": {"type": "integer", "minimum": 0, "description": "How long the record was."},
    },
}  # fmt: skip

DEAD_LETTER: dict[str, Any] = {
    "name": "dead-letter",
    "title": "DeadLetter",
    "summary": "A record that a subscriber could not handle; the subscriber keeps the whole and can replay it.",
    "contentType": "application/json",
    "payload": DEAD_LETTER_SCHEMA,
}
