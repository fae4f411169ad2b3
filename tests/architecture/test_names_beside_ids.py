"""Wherever an answer says who did something, the person's name stands beside the id; no event has one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from council_common.published_language.events import published_events

ROOT = Path(__file__).parents[2]
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")


def who(schema: dict[str, Any]) -> Iterator[str]:
    """The fields of an answer that are somebody's id: texts without a closed list of values."""
    for name, field in schema.get("properties", {}).items():
        kinds = field.get("anyOf", [field])
        is_text = any(kind.get("type") == "string" and not kind.keys() & {"format", "enum"} for kind in kinds)
        if is_text and (name == "by" or name.endswith("_by")):
            yield name


@pytest.mark.parametrize("name", SERVICES)
def test_names_stand_beside_ids_wherever_a_person_acted(name: str) -> None:
    document = json.loads((ROOT / "docs" / "contracts" / "openapi" / f"{name}-service.json").read_text())
    answers = {key: schema for key, schema in document["components"]["schemas"].items() if key.endswith("Out")}
    found = [(key, field) for key, schema in answers.items() for field in who(schema)]
    assert found
    assert [(key, field) for key, field in found if f"{field}_name" not in answers[key]["properties"]] == []


def test_staff_names_stay_out_of_events() -> None:
    with_names = [
        f"{event.__name__}.{field}"
        for event in published_events().values()
        for field in event.model_fields
        if field.endswith("_by_name")
    ]
    assert with_names == []
