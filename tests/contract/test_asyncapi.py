"""The AsyncAPI document names brokers, how long topics keep events, and who sends and receives what."""

from collections.abc import Iterator
from typing import Any

import pytest
from council_common.events.topics import ALL_TOPICS, RETENTION, dead_topic
from council_common.published_language.asyncapi import asyncapi
from council_common.published_language.events import published_events

SUBSCRIPTIONS = {
    "rebate-service": ["uk.gov.council.invoice.paid.v1", "uk.gov.council.invoice.received.v1"],
    "invoice-service": ["uk.gov.council.invoice.paid.v1", "uk.gov.council.supplier.held.v1"],
    "supplier-service": [],
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi(SUBSCRIPTIONS)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = {f"./schemas/{name}.json" for name in published_events()}
    for reference in _references(document):
        if reference in schemas:
            continue
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_topic_is_a_channel_that_keeps_its_events_for_seven_years(document: dict[str, Any]) -> None:
    assert set(document["channels"]) == set(ALL_TOPICS)
    for topic, channel in document["channels"].items():
        binding = channel["bindings"]["kafka"]
        assert channel["address"] == binding["topic"] == topic
        settings = binding["topicConfiguration"]
        assert settings["retention.ms"] == RETENTION.total_seconds() * 1000
        assert (settings["cleanup.policy"], settings["retention.bytes"]) == (["delete"], -1)
        assert "seven years" in channel["description"]


def test_the_broker_of_a_council_is_reached_by_a_user_over_tls(document: dict[str, Any]) -> None:
    protocols = {name: server["protocol"] for name, server in document["servers"].items()}
    assert protocols == {"council": "kafka-secure", "one-machine": "kafka"}
    assert document["servers"]["council"]["security"] == [{"$ref": "#/components/securitySchemes/user"}]


def test_a_subscriber_reads_in_the_group_of_its_name_and_may_send_dead_letters(document: dict[str, Any]) -> None:
    operations = document["operations"]
    received = {name: operation for name, operation in operations.items() if operation["action"] == "receive"}
    assert set(received) == {
        "rebate-service.receive.invoices.v1",
        "invoice-service.receive.invoices.v1",  # its own topic
        "invoice-service.receive.suppliers.v1",
    }
    for name, operation in received.items():
        service, topic = name.split(".receive.")
        assert operation["bindings"]["kafka"]["groupId"]["enum"] == [service]
        assert operations[f"{service}.send.{dead_topic(topic)}"]["messages"]
    assert {name for name in operations if name.startswith("supplier-service")} == {"supplier-service.send"}
