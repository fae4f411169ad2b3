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
from council_common.published_language.events import example_of, published_events, schema_of
from council_common.published_language.shrinkages import shrinkages

EVENTS = published_events()
SHARED = Path(os.environ.get("COUNCIL_SHARED", Path(__file__).parents[3] / "shared"))

# Codes, subject ids and the council's own short lists: their services keep them closed, the contracts leave them open
# so that a new one breaks no reader. Add a name here only when no caller can type a sentence into it.
CODES = {
    "about_kind", "approved_by", "basis", "cause", "changed", "channel", "debt_type", "department", "hold_reasons",
    "market_sector", "reason", "resolution", "rule", "status", "template",
}  # fmt: skip
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
    if not schema_file.exists() and not os.environ.get("CI"):
        pytest.skip(f"no {schema_file.name} beside the checkout")
    validator = jsonschema.Draft7Validator(
        json.loads(schema_file.read_text()), format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    for event_type in EVENTS.values():
        validator.validate(example_of(event_type))


def test_a_schema_that_shrinks_is_found() -> None:
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


Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}


def of(field: Schema, **definitions: Schema) -> Schema:
    return {"properties": {"field": field}, "required": ["field"], "$defs": definitions}


REASONS: Schema = {"type": "string", "enum": ["dispute", "other"]}
PART = {"type": "object", "properties": {"net": {"type": "integer"}, "vat": TEXT}, "required": ["net", "vat"]}


@pytest.mark.parametrize(
    ("old", "new", "shrinkage"),
    [
        (of(REASONS), of({**REASONS, "enum": ["dispute", "other", "fraud"]}), ["field may also be fraud"]),
        (of(REASONS), of(TEXT), ["field may also be anything"]),
        (of({"const": "a"}), of({"const": "b"}), ["field may also be b"]),
        (of({"type": "array", "items": TEXT}), of({"type": "array", "items": {"type": "integer"}}),
         ["field[]: type was string and is integer"]),
        (of({"type": "array", "items": REASONS}), of({"type": "array", "items": TEXT}),
         ["field[] may also be anything"]),
        (of({"type": "integer", "maximum": 9}), of({"type": "integer", "maximum": 10}),
         ["field: maximum was 9 and is 10"]),
        (of({"type": "integer", "minimum": 0}), of({"type": "integer"}), ["field: minimum was 0 and is None"]),
        (of({**TEXT, "pattern": "^[a-z]+$"}), of(TEXT), ["field: pattern was ^[a-z]+$ and is None"]),
        (of(TEXT), of({"anyOf": [TEXT, {"type": "null"}]}), ["field may also be null"]),
        (of({"$ref": "#/$defs/Reason"}, Reason=REASONS), of({"$ref": "#/$defs/Reason"}, Reason=TEXT),
         ["field may also be anything"]),
        (of({"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Part"}}, {"type": "null"}]}, Part=PART),
         of({"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Part"}}, {"type": "null"}]},
            Part={**PART, "required": ["net"]}), ["field may also be array"]),
    ],
)  # fmt: skip
def test_what_readers_of_the_old_schema_cannot_read_is_found(old: Schema, new: Schema, shrinkage: list[str]) -> None:
    assert shrinkages(old, new) == shrinkage
    assert shrinkages(old, copy.deepcopy(old)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (of(TEXT), of(REASONS)),
        (of(REASONS), of({**REASONS, "enum": ["other"]})),
        (of(REASONS), of({"type": "string", "const": "other"})),
        (of({"anyOf": [TEXT, {"type": "null"}]}), of(TEXT)),
        (of(TEXT), of({"$ref": "#/$defs/Reason"}, Reason=REASONS)),
        (of({"type": "integer", "maximum": 9}), of({"type": "integer", "maximum": 8, "minimum": 1})),
    ],
)
def test_what_becomes_narrower_can_still_be_read(old: Schema, new: Schema) -> None:
    assert shrinkages(old, new) == []


# Texts that an event may hold although nothing closes them: numbers and references of the business, ids, addresses.
BUSINESS_TEXT = {"by", "number", "invoice_number", "purchase_order_number", "reference", "payment_reference", "system"}


@pytest.mark.parametrize("event_type", EVENTS.values(), ids=EVENTS)
def test_no_event_has_a_field_for_free_text(event_type: type[Event]) -> None:
    """What an officer types about a person must not be published: a text is a code, a closed list or a number."""
    schema = schema_of(event_type)
    assert not {where for where, text in texts(schema, schema) if not is_closed(where, text)}


def texts(schema: Schema, document: Schema, where: str = "") -> list[tuple[str, Schema]]:
    if "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    if schema.get("type") == "string":
        return [(where, schema)]
    inside = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    found = [text for one in inside for text in texts(one, document, where)]
    return found + [text for name, one in schema.get("properties", {}).items() for text in texts(one, document, name)]


def is_closed(where: str, text: Schema) -> bool:
    return bool(text.keys() & {"enum", "const", "format", "pattern"}) or where in BUSINESS_TEXT or where in CODES


def _without(schema: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    smaller = copy.deepcopy(schema)
    del smaller[part][name]
    return smaller
