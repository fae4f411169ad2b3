"""The published language as documents: JSON Schemas, examples and AsyncAPI 3, made from the event classes."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
from typing import Any
from uuid import UUID

import council_common.contracts
from council_common.events.contract import Event, event_types
from council_common.events.envelope import seal
from council_common.events.topics import TOPICS, dead_topic

EXAMPLE_ID = UUID("0195a1b2-0000-7000-8000-0000000000e0")
_CONTRACTS = "council_common.contracts"
Seen = tuple[str, ...]


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


def shrinkages(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a new schema takes from readers of the old one; empty when they can read all that the new one allows.

    Found are fields that are gone or no longer always there, other types, further values of a closed list, wider
    bounds, and the same inside lists, choices and definitions.
    """
    return _shrunk(old, new, "", (old, new), ())


def _shrunk(
    old: dict[str, Any], new: dict[str, Any], where: str, documents: tuple[dict[str, Any], dict[str, Any]], seen: Seen
) -> list[str]:
    reference = old.get("$ref")
    if reference is not None and reference in seen:
        return []
    seen = (*seen, reference) if reference else seen
    old, new = _followed(old, documents[0]), _followed(new, documents[1])
    if "anyOf" in old or "anyOf" in new:
        choices = old.get("anyOf", [old])
        return [
            f"{where} may also be {_name(choice)}"
            for choice in new.get("anyOf", [new])
            if all(_shrunk(old_choice, choice, where, documents, seen) for old_choice in choices)
        ]
    found = [f"{where}: {key} was {old[key]} and is {new.get(key)}" for key in _wider(old, new)]
    found += [f"{where} may also be {value}" for value in _further_values(old, new)]
    if "items" in old:
        found += _shrunk(old["items"], new.get("items", {}), f"{where}[]", documents, seen)
    inside = f"{where}." if where else ""
    for name, old_field in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            found.append(f"{inside}{name} is gone")
        else:
            found += _shrunk(old_field, new["properties"][name], f"{inside}{name}", documents, seen)
    optional_now = set(old.get("required", [])) - set(new.get("required", []))
    return found + [f"{inside}{name} is no longer always there" for name in sorted(optional_now)]


def _wider(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The words of a schema by which the new one allows what the old one did not."""
    if "type" in old and old["type"] != new.get("type"):
        return ["type"]
    closed = bool(_values(new))
    other: list[str] = [key for key in ("format", "pattern") if key in old and old[key] != new.get(key) and not closed]
    lower: list[str] = [key for key in ("minimum", "minLength") if key in old and new.get(key, -math.inf) < old[key]]
    upper: list[str] = [key for key in ("maximum", "maxLength") if key in old and new.get(key, math.inf) > old[key]]
    return other + ([] if closed else lower + upper)


def _further_values(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Values of a closed list that were not there, where the old one is a closed list."""
    if not _values(old):
        return []
    return sorted(map(str, _values(new) - _values(old))) if _values(new) else ["anything"]


def _values(schema: dict[str, Any]) -> set[Any]:
    return {schema["const"]} if "const" in schema else set(schema.get("enum", ()))


def _followed(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where it only says where it stands in its document (`#/$defs/Name`)."""
    found: dict[str, Any] = document if "$ref" in schema else schema
    for part in schema.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found


def _name(choice: dict[str, Any]) -> str:
    return str(choice.get("$ref", choice.get("type", "anything"))).rsplit("/", 1)[-1]
