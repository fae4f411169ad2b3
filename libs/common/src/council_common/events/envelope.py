"""The envelope of an event on the wire: CloudEvents 1.0, structured JSON.

The model is checked against the CloudEvents JSON schema and the CNCF's own SDK in the contract tests;
it is ours because the SDK costs more per event than the rest of the path (docs/decisions/0002).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from council_common.events.contract import Event

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"

E = TypeVar("E")

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def _traceparent(given: object) -> str | None:
    """A W3C traceparent; anything else is ignored, as the recommendation asks: it goes into what we publish."""
    return given if isinstance(given, str) and _TRACEPARENT.fullmatch(given) else None


class Envelope(BaseModel, Generic[E]):
    """CloudEvents context attributes around one event; unknown extensions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    partitionkey: str | None = None
    traceparent: Annotated[str | None, BeforeValidator(_traceparent)] = None
    data: E


class WrittenEvent(NamedTuple):
    """An event as JSON, from a hot path that does not make the model first (a test holds it equal to the model).

    `caused_by` is the aggregate whose event led to it, where that is another one: it finds the trace to carry.
    `traceparent` is that trace itself, where it was kept from an earlier transaction.
    """

    type: type[Event]
    key: UUID
    occurred_at: datetime
    json: str
    caused_by: UUID | None = None
    traceparent: str | None = None


def seal(event: Event, *, event_id: UUID, traceparent: str | None = None) -> bytes:
    """The bytes that will be sent: built once, when the fact is recorded."""
    written = WrittenEvent(type(event), event.key, event.occurred_at, event.model_dump_json())
    return seal_written(written, event_id=event_id, traceparent=traceparent)


def seal_written(event: WrittenEvent, *, event_id: UUID, traceparent: str | None = None) -> bytes:
    """`seal` for an event whose JSON is there already."""
    event_type, key = event.type, str(event.key)
    trace = f'"traceparent":"{traceparent}",' if traceparent else ""
    return (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{source_of(event_type)}",'
        f'"type":"{event_type.type}","subject":"{key}","time":"{timestamp(event.occurred_at)}",'
        f'"datacontenttype":"application/json","partitionkey":"{key}",{trace}"data":{event.json}}}'
    ).encode()


class NotFromItsProducer(ValueError):
    """A record that the event's producer would not send so."""


def read_event(payload: bytes, event_type: type[Event], *, topic: str, key: str) -> Envelope[Any]:
    """Read an event as its producer sends it: on its topic, under its aggregate's key, in its name.

    The broker's rights are by topic, so each producer is kept to its own. Raises pydantic's ValidationError for what
    cannot be read and NotFromItsProducer for what another service sent.
    """
    if topic != event_type.topic:
        raise NotFromItsProducer(f"{event_type.type} is sent on {event_type.topic} only")
    envelope = unseal(payload, event_type)
    if envelope.type != event_type.type or envelope.source != source_of(event_type):
        raise NotFromItsProducer("type or source of the envelope is not that of the event")
    if key != str(envelope.data.key):
        raise NotFromItsProducer("the record's key is not the aggregate's id")
    return envelope


def source_of(event_type: type[Event]) -> str:
    """The `source` of every event of a type: the service that sends it."""
    return f"urn:council:{event_type.producer}"


def type_of(payload: bytes) -> str:
    """The type an envelope names; raises pydantic's ValidationError when it is none."""
    return _any_envelope().model_validate_json(payload).type


def unseal(payload: bytes, event_type: type[Event]) -> Envelope[Any]:
    """Read an envelope with its event; raises pydantic's ValidationError when it cannot be read."""
    return _envelope_of(event_type).model_validate_json(payload)


@lru_cache(maxsize=64)
def timestamp(moment: datetime) -> str:
    """A moment as events write it: UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=1)
def _any_envelope() -> type[Envelope[Any]]:
    return Envelope[Any]


@lru_cache(maxsize=256)
def _envelope_of(event_type: type[Event]) -> type[Envelope[Any]]:
    return Envelope[event_type]  # type: ignore[valid-type]
