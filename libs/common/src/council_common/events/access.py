"""Who may do what at the broker: declared here once, brought to the broker by `create-topics`.

A service writes its own topic, reads what it subscribes to and keeps dead letters beside that; nothing else. So an
event is believed for the topic it came by: whoever forged it would need its producer's password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from council_common.events.security import IN_CLEAR, KafkaSecurity
from council_common.events.topics import TOPICS, dead_topic

WRITES: Mapping[str, str] = {f"{topic.removesuffix('s.v1')}-service": topic for topic in TOPICS}
"""The one topic of each service."""

READS: Mapping[str, tuple[str, ...]] = {
    "supplier-service": (),
    "invoice-service": ("debts.v1", "suppliers.v1"),
    "rebate-service": ("invoices.v1", "suppliers.v1"),
    "debt-service": ("invoices.v1", "notifications.v1"),
    "notification-service": ("debts.v1", "invoices.v1", "rebates.v1", "suppliers.v1"),
}
"""What each service subscribes to: a test compares it with its handlers."""

SUBSCRIBER = "subscriber"
"""Another system of the council: it reads every topic of events, in groups whose names begin with its own."""

# Kafka's numbers (org.apache.kafka.common.acl and .resource).
_ANY, _TOPIC, _GROUP, _LITERAL, _PREFIXED = 1, 2, 3, 3, 4
_READ, _WRITE, _ALLOW = 3, 4, 3
_EVERY_HOST = "*"
_NO_ACCESS_LISTS = 54


class BrokerTrustsEverybodyError(RuntimeError):
    """The broker asks for a name and keeps no access lists: whoever has a name may write every topic."""


class Grant(NamedTuple):
    """One line of an access list, in the order and the numbers of Kafka's requests."""

    kind: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int

    @property
    def user(self) -> str:
        return self.principal.removeprefix("User:")


def grants() -> Iterator[Grant]:
    """All that the five services and a subscriber may do; to describe comes with reading or writing.

    >>> sorted(one.name for one in grants() if one.user == "invoice-service" and one.operation == 4)
    ['debts.v1.dead', 'invoices.v1', 'suppliers.v1.dead']
    """
    for service, topic in WRITES.items():
        yield _allow(service, _TOPIC, topic, _WRITE)
        for read in READS[service]:
            yield _allow(service, _TOPIC, read, _READ)
            yield _allow(service, _TOPIC, dead_topic(read), _WRITE)
        yield _allow(service, _GROUP, service, _READ)
    for topic in TOPICS:
        yield _allow(SUBSCRIBER, _TOPIC, topic, _READ)
    yield _allow(SUBSCRIBER, _GROUP, SUBSCRIBER, _READ, pattern=_PREFIXED)


def _allow(user: str, kind: int, name: str, operation: int, *, pattern: int = _LITERAL) -> Grant:
    return Grant(kind, name, pattern, f"User:{user}", _EVERY_HOST, operation, _ALLOW)


async def grant_access(bootstrap_servers: str, *, security: KafkaSecurity = IN_CLEAR) -> bool:
    """Bring the access lists of the services and the subscriber to what is declared; whether anything was changed.

    Whatever else one of them was granted or denied is taken from the lists; other users' lines stay.

    A broker in clear knows nobody by name, so nothing is granted there. Raises BrokerTrustsEverybodyError for a broker
    that asks for names and keeps no lists, KafkaError where the caller may not change them.
    """
    if not security.username:
        return False
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers, **security.options)
    await client.bootstrap()
    try:
        present, declared = await _present(client), set(grants())
        for grant in sorted(declared - present):
            answer = await client.send(client.get_random_node(), CreateAclsRequest(*grant))
            for code, text in answer.creation_responses:
                _check(code, text)
        for grant in sorted(present - declared):
            answer = await client.send(client.get_random_node(), DeleteAclsRequest(*grant))
            for code, text, *_ in answer.filter_responses:
                _check(code, text)
        return present != declared
    finally:
        await client.close()


async def _present(client: AIOKafkaClient) -> set[Grant]:
    """Every line about our users that the broker has now."""
    everything = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
    answer = await client.send(client.get_random_node(), everything)
    _check(answer.error_code, answer.error_message)
    lines = [Grant(*resource, *line) for *resource, its_lines in answer.resources for line in its_lines]
    return {line for line in lines if line.user in WRITES or line.user == SUBSCRIBER}


def _check(code: int, text: str | None) -> None:
    if code == _NO_ACCESS_LISTS:
        raise BrokerTrustsEverybodyError("The broker keeps no access lists: set its authorizer.class.name.")
    if code:
        raise for_code(code)(text or "")
