"""The events of the contracts, the schema of each and an example of each."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any
from uuid import UUID

import council_common.contracts
from council_common.events.contract import Event, event_types
from council_common.events.envelope import seal

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
