"""The published language as documents: JSON Schemas, examples and AsyncAPI 3, made from the event classes."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any
from uuid import UUID

import council_common.contracts
from council_common.events.contract import Event, event_types
from council_common.events.envelope import seal
from council_common.events.topics import TOPICS, dead_topic

EXAMPLE_ID = UUID("0195a1b2-0000-7000-8000-0000000000e0")
_CONTRACTS = "council_common.contracts"


def published_events() -> dict[str, type[Event]]:
    """Every event of the contracts by CloudEvents type, in the order of their names."""
    for module in pkgutil.iter_modules(council_common.contracts.__path__):
        importlib.import_module(f"{_CONTRACTS}.{module.name}")
    known = event_types()
    return {name: known[name] for name in sorted(known) if known[name].__module__.startswith(f"{_CONTRACTS}.")}


def schema_of(event_type: type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event's data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:council-payments:schema:{event_type.type}",
        **event_type.model_json_schema(mode="serialization"),
    }


def example_of(event_type: type[Event]) -> dict[str, Any]:
    """One whole event as it travels, envelope and all."""
    example: dict[str, Any] = json.loads(seal(event_type.example(), event_id=EXAMPLE_ID))
    return example


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
        "channels": {topic: _channel(topic, events) for topic in TOPICS},
        "operations": _operations(events, subscriptions),
        "components": {
            "messages": {event_type.__name__: _message(event_type) for event_type in events.values()},
        },
    }


def _channel(topic: str, events: dict[str, type[Event]]) -> dict[str, Any]:
    names = [event_type.__name__ for event_type in events.values() if event_type.topic == topic]
    return {
        "address": topic,
        "description": f"What cannot be handled goes to {dead_topic(topic)} with its reason.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _message(event_type: type[Event]) -> dict[str, Any]:
    return {
        "name": event_type.type,
        "title": event_type.__name__,
        "summary": " ".join((event_type.__doc__ or "").split()),
        "contentType": "application/cloudevents+json",
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "data"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "format": "uuid"},
                "source": {"const": f"urn:council:{event_type.producer}"},
                "type": {"const": event_type.type},
                "data": {"$ref": f"./schemas/{event_type.type}.json"},
            },
        },
        "examples": [{"payload": example_of(event_type)}],
    }


def _operations(events: dict[str, type[Event]], subscriptions: dict[str, list[str]]) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        of_topic = [event_type for event_type in events.values() if event_type.topic == topic]
        for producer in sorted({event_type.producer for event_type in of_topic}):
            operations[f"{producer}.send"] = _operation("send", topic, of_topic)
        for service, types in subscriptions.items():
            wanted = [event_type for event_type in of_topic if event_type.type in types]
            if wanted:
                operations[f"{service}.receive.{topic}"] = _operation("receive", topic, wanted)
    return operations


def _operation(action: str, topic: str, events: list[type[Event]]) -> dict[str, Any]:
    channel = f"#/channels/{topic}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event_type.__name__}"} for event_type in events],
    }


def shrinkages(old: dict[str, Any], new: dict[str, Any], where: str = "") -> list[str]:
    """What a new schema takes from readers of the old: fields gone, types changed, fields newly required.

    Readers of the old schema must be able to read what the new one allows.
    """
    found: list[str] = []
    for name, old_field in old.get("properties", {}).items():
        new_field = new.get("properties", {}).get(name)
        if new_field is None:
            found.append(f"{where}{name} is gone")
        else:
            found += _changed(old_field, new_field, f"{where}{name}")
            found += shrinkages(old_field, new_field, f"{where}{name}.")
    optional_now = set(old.get("required", [])) - set(new.get("required", []))
    found += [f"{where}{name} is no longer always there" for name in sorted(optional_now)]
    for name, definition in old.get("$defs", {}).items():
        if name in new.get("$defs", {}):
            found += shrinkages(definition, new["$defs"][name], f"{where}{name}.")
    return found


def _changed(old: dict[str, Any], new: dict[str, Any], where: str) -> list[str]:
    keys = ("type", "format", "pattern", "$ref", "anyOf", "const")
    return [f"{where}: {key} was {old.get(key)} and is {new.get(key)}" for key in keys if old.get(key) != new.get(key)]
