"""Handlers belong to their room; a service includes its rooms'."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from council_common.events.contract import Event
from council_common.events.handlers import Handlers, Received
from council_common.ids import new_id
from things_service import NOW

NO_SESSION: Any = None


class LetterPostedV1(Event, topic="letters.v1", producer="letters-service", key="letter_id"):
    letter_id: UUID


class LetterReturnedV1(Event, topic="letters.v1", producer="letters-service", key="letter_id"):
    letter_id: UUID


class ParcelPostedV1(Event, topic="parcels.v1", producer="parcels-service", key="parcel_id"):
    parcel_id: UUID


def _received(event_type: type[Event]) -> Received[Any]:
    key = new_id()
    return Received(
        event_type.model_validate({event_type.key_field: key, "version": 1, "occurred_at": NOW, "by": "test"}),
        new_id(),
        NOW,
    )


class _Calls:
    """What was called, in order, with events of which types."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str]]] = []

    def note(self, name: str) -> Any:
        async def noted(_: Any, received: Sequence[Received[Any]]) -> None:
            self.seen.append((name, [type(one.event).__name__ for one in received]))

        return noted


def _letters(calls: _Calls) -> Handlers:
    letters = Handlers()
    letters.before(LetterPostedV1, LetterReturnedV1)(calls.note("lock letters"))
    letters.on_many(LetterPostedV1)(calls.note("note posted"))
    letters.on_many(LetterReturnedV1)(calls.note("note returned"))
    return letters


def _parcels(calls: _Calls) -> Handlers:
    parcels = Handlers()
    parcels.on_many(ParcelPostedV1)(calls.note("note parcels"))
    return parcels


async def test_a_room_prepares_a_batch_once_before_any_of_it_is_handled_and_sees_its_own_events_only() -> None:
    calls = _Calls()
    service = Handlers.including(_parcels(calls), _letters(calls))
    batch = [_received(kind) for kind in (LetterReturnedV1, ParcelPostedV1, LetterPostedV1, ParcelPostedV1)]
    await service.handle(NO_SESSION, batch)
    assert calls.seen == [
        ("lock letters", ["LetterReturnedV1", "LetterPostedV1"]),
        ("note returned", ["LetterReturnedV1"]),
        ("note parcels", ["ParcelPostedV1", "ParcelPostedV1"]),
        ("note posted", ["LetterPostedV1"]),
    ]


async def test_events_of_other_rooms_prepare_nothing() -> None:
    calls = _Calls()
    await Handlers.including(_letters(calls), _parcels(calls)).handle(NO_SESSION, [_received(ParcelPostedV1)])
    assert calls.seen == [("note parcels", ["ParcelPostedV1"])]


def test_two_rooms_never_handle_one_event() -> None:
    with pytest.raises(ValueError, match="ParcelPostedV1 has a handler already"):
        Handlers.including(_parcels(_Calls()), _parcels(_Calls()))


def test_a_service_subscribes_to_what_its_rooms_handle() -> None:
    service = Handlers.including(_letters(_Calls()), _parcels(_Calls()))
    assert service.topics == ("letters.v1", "parcels.v1")
    assert set(service.types.values()) == {LetterPostedV1, LetterReturnedV1, ParcelPostedV1}
