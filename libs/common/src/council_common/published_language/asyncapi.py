"""The AsyncAPI 3 document of the platform: brokers, topics and how long they keep, messages, who sends and receives."""

from __future__ import annotations

from typing import Any

from council_common.events.contract import Event
from council_common.events.topics import PARTITIONS, SETTINGS, TOPICS, dead_topic
from council_common.published_language.dead_letter import DEAD_LETTER
from council_common.published_language.events import example_of, published_events

BINDING = "0.5.0"
"""The version of AsyncAPI's Kafka bindings that is used here."""

SERVERS = {
    "council": {
        "host": "{broker}",
        "protocol": "kafka-secure",
        "title": "The council's Kafka",
        "description": "TLS, and a user for each service: its access list lets it write its own topic and every dead "
        "topic, read all topics and join the group of its name.",
        "variables": {
            "broker": {"default": "kafka.example.gov.uk:9094", "description": "One of KAFKA_BOOTSTRAP_SERVERS."}
        },
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    },
    "one-machine": {
        "host": "127.0.0.1:8092",
        "protocol": "kafka",
        "title": "Kafka of `make run`",
        "description": "In clear, on loopback only.",
    },
}


def asyncapi(subscriptions: dict[str, list[str]]) -> dict[str, Any]:
    """The AsyncAPI 3 document of the platform; `subscriptions` maps a service to the event types it handles."""
    events = published_events()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Council Payments",
            "version": "1",
            "description": "Facts about suppliers, invoices, rebates, debts and messages. CloudEvents 1.0, structured "
            "JSON, keyed by aggregate id: the events of one aggregate arrive in order, each once or more.",
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": SERVERS,
        "channels": {
            **{topic: _channel(topic, events) for topic in TOPICS},
            **{dead_topic(topic): _dead_channel(topic) for topic in TOPICS},
        },
        "operations": _operations(events, subscriptions),
        "components": {
            "messages": {
                **{event_type.__name__: _message(event_type) for event_type in events.values()},
                "DeadLetter": DEAD_LETTER,
            },
            "securitySchemes": {
                "user": {
                    "type": "scramSha512",
                    "description": "The user has the service's name; the password is KAFKA_SASL_PASSWORD.",
                }
            },
        },
    }


def _channel(topic: str, events: dict[str, type[Event]]) -> dict[str, Any]:
    names = [event_type.__name__ for event_type in events.values() if event_type.topic == topic]
    return {
        "address": topic,
        "description": f"Kept for seven years. What cannot be handled goes to {dead_topic(topic)} with its reason.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": _topic_binding(topic),
    }


def _dead_channel(topic: str) -> dict[str, Any]:
    return {
        "address": dead_topic(topic),
        "description": f"What a subscriber of {topic} could not handle, and why. Kept for seven years.",
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
        "bindings": _topic_binding(dead_topic(topic)),
    }


def _topic_binding(topic: str) -> dict[str, Any]:
    return {
        "kafka": {
            "topic": topic,
            "partitions": PARTITIONS,
            "topicConfiguration": {
                "cleanup.policy": [SETTINGS["cleanup.policy"]],
                "retention.ms": int(SETTINGS["retention.ms"]),
                "retention.bytes": int(SETTINGS["retention.bytes"]),
            },
            "bindingVersion": BINDING,
        }
    }


def _message(event_type: type[Event]) -> dict[str, Any]:
    return {
        "name": event_type.type,
        "title": event_type.__name__,
        "summary": " ".join((event_type.__doc__ or "").split()),
        "contentType": "application/cloudevents+json",
        "headers": {"type": "object", "required": ["ce_type"], "properties": {"ce_type": {"const": event_type.type}}},
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "data"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "format": "uuid"},
                "source": {"const": f"urn:council:{event_type.producer}"},
                "type": {"const": event_type.type},
                "traceparent": {"type": "string", "description": "W3C Trace Context: the trace the fact belongs to."},
                "data": {"$ref": f"./schemas/{event_type.type}.json"},
            },
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": f"The event's {event_type.key_field}."},
                "bindingVersion": BINDING,
            }
        },
        "examples": [{"payload": example_of(event_type)}],
    }


def _operations(events: dict[str, type[Event]], subscriptions: dict[str, list[str]]) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        of_topic = [event_type for event_type in events.values() if event_type.topic == topic]
        for producer in sorted({event_type.producer for event_type in of_topic}):
            operations[f"{producer}.send"] = _operation("send", topic, [_name(event_type) for event_type in of_topic])
        for service, types in subscriptions.items():
            wanted = [_name(event_type) for event_type in of_topic if event_type.type in types]
            if wanted:
                received = _operation("receive", topic, wanted)
                operations[f"{service}.receive.{topic}"] = received | {"bindings": _group_binding(service)}
                operations[f"{service}.send.{dead_topic(topic)}"] = _operation(
                    "send", dead_topic(topic), ["DeadLetter"]
                )
    return operations


def _name(event_type: type[Event]) -> str:
    return event_type.__name__


def _operation(action: str, topic: str, messages: list[str]) -> dict[str, Any]:
    channel = f"#/channels/{topic}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in messages],
    }


def _group_binding(service: str) -> dict[str, Any]:
    """The consumer group has the service's name: its workers share the partitions."""
    return {"kafka": {"groupId": {"type": "string", "enum": [service]}, "bindingVersion": BINDING}}
