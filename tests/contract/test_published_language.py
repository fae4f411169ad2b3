import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from council_common.events.contract import Event
from council_common.events.envelope import CONTENT_TYPE, seal, unseal
from council_common.events.topics import TOPICS
from council_common.ids import new_id
from council_common.published_language import example_of, published_events, schema_of, shrinkages

EVENTS = published_events()
SHARED = Path(os.environ.get("COUNCIL_SHARED", Path(__file__).parents[3] / "shared"))

FORBIDDEN = ("name", "email", "phone", "address", "sort_code", "account", "iban", "postcode", "contact")


@pytest.mark.parametrize("event_type", EVENTS.values(), ids=EVENTS)
def test_an_example_keeps_its_schema_and_survives_the_journey(event_type: type[Event]) -> None:
    example = example_of(event_type)
    jsonschema.Draft202012Validator(schema_of(event_type)).validate(example["data"])
    event = event_type.example()
    envelope = unseal(seal(event, event_id=new_id()), event_type)
    assert envelope.data == event
    assert envelope.partitionkey == str(event.key)


@pytest.mark.parametrize("event_type", EVENTS.values(), ids=EVENTS)
def test_subscribers_ignore_fields_they_do_not_know(event_type: type[Event]) -> None:
    example = example_of(event_type)
    example["data"]["added_later"] = {"anything": 1}
    example["addedattribute"] = "x"
    assert unseal(json.dumps(example).encode(), event_type).data == event_type.example()


@pytest.mark.parametrize("event_type", EVENTS.values(), ids=EVENTS)
def test_the_sdk_of_cloudevents_reads_what_we_write(event_type: type[Event]) -> None:
    event_id = new_id()
    payload = seal(event_type.example(), event_id=event_id, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    read = from_structured_event(
        KafkaMessage(headers={"content-type": CONTENT_TYPE}, key=str(event_id).encode(), value=payload)
    )
    assert read.get_id() == str(event_id)
    assert read.get_type() == event_type.type
    assert read.get_attributes()["traceparent"].startswith("00-1")


@pytest.mark.parametrize("event_type", EVENTS.values(), ids=EVENTS)
def test_no_event_has_a_field_for_personal_data_or_bank_details(event_type: type[Event]) -> None:
    fields = set(event_type.model_fields)
    assert not {field for field in fields if any(word in field.split("_") for word in FORBIDDEN)}
    assert event_type.topic in TOPICS
    assert event_type.key_field in fields


@pytest.mark.real_data
def test_examples_keep_the_schema_of_cloudevents() -> None:
    schema_file = SHARED / "data" / "events" / "cloudevents.schema.json"
    if not schema_file.exists():
        pytest.skip(f"no {schema_file.name} beside the checkout")
    validator = jsonschema.Draft7Validator(
        json.loads(schema_file.read_text()), format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    for event_type in EVENTS.values():
        validator.validate(example_of(event_type))


def test_a_schema_that_shrinks_is_told() -> None:
    old = schema_of(EVENTS["uk.gov.council.invoice.paid.v1"])
    assert shrinkages(old, copy.deepcopy(old)) == []
    assert shrinkages(old, _without(old, "properties", "number"))[0] == "number is gone"
    changed = copy.deepcopy(old)
    changed["properties"]["paid_pence"]["type"] = "string"
    assert shrinkages(old, changed) == ["paid_pence: type was integer and is string"]
    optional = copy.deepcopy(old)
    optional["required"].remove("paid_pence")
    assert shrinkages(old, optional) == ["paid_pence is no longer always there"]
    grown = copy.deepcopy(old)
    grown["properties"]["extra"] = {"type": "string"}
    assert shrinkages(old, grown) == []


def _without(schema: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    smaller = copy.deepcopy(schema)
    del smaller[part][name]
    return smaller
