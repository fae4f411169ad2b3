"""The delivery of notices, and where it leaves their debts on the ladder."""

from datetime import date, timedelta
from typing import Any

import pytest
from council_common.contracts.debts import ReceivableRaisedV1
from council_common.contracts.notifications import (
    AddressConfirmedV1,
    MessageDeliveredV1,
    MessageFailedV1,
    MessageSentV1,
)
from council_common.events.handlers import Handlers, Received
from council_common.ids import new_id
from debt_service.main import SERVICE
from sqlalchemy.ext.asyncio import AsyncSession

TODAY = date(2026, 3, 11)


async def test_a_failed_notice_is_final_and_a_late_fact_never_overwrites_it(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    deliver, message = office.service.deliver, office.message
    await deliver(message(MessageSentV1, notice["id"]))
    await deliver(message(MessageFailedV1, notice["id"], reason="address_refused"))
    [notice] = await office.notices()
    assert (notice["delivery_status"], notice["failure_reason"]) == ("failed", "address_refused")
    await deliver(message(MessageDeliveredV1, notice["id"]))
    await deliver(message(MessageSentV1, notice["id"]))
    assert (await office.notices())[0]["delivery_status"] == "delivered"
    assert (await office.notices())[0]["sent_on"] == str(TODAY)


async def test_only_its_own_message_reports_a_notice(office, late) -> None:
    """A caller with messages:write may write by hand about any id: that is no proof of delivery."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    deliver, message = office.service.deliver, office.message
    await deliver(message(MessageDeliveredV1, notice["id"], about_kind="payment"))
    await deliver(message(MessageDeliveredV1, notice["id"], template="by_hand"))
    assert (await office.notices())[0]["delivery_status"] == "issued"
    await deliver(message(MessageSentV1, notice["id"]))
    await deliver(message(MessageDeliveredV1, notice["id"], message_id=new_id()))
    assert (await office.notices())[0]["delivery_status"] == "sent"
    await deliver(message(MessageDeliveredV1, notice["id"]))
    assert (await office.notices())[0]["delivery_status"] == "delivered"


async def test_a_notice_that_never_left_is_no_step_on_the_ladder(office, late) -> None:
    """A hold stops the queued reminder; after the hold the reminder goes first, not the final notice."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    hold = await office.hold(receivable_id=late["id"])
    stopped = office.message(MessageFailedV1, notice["id"], reason="cancelled", was_sent=False)
    await office.service.deliver(stopped)
    await office.service.deliver(stopped)
    back = await office.get(f"receivables/{late['id']}")
    assert (back["dunning_level"], back["last_notice_on"], back["last_notice_sent_on"]) == (0, None, None)
    last = (await office.all_items(f"receivables/{late['id']}/history"))[-1]
    assert (last["action"], last["detail"]) == ("level reset", {"level": 0, "level_before": 1})
    await office.release(hold, "bins found")
    office.on(TODAY + timedelta(days=30))
    run = await office.propose(office.service.now.date())
    assert [item["level"] for item in await office.items(run, state="proposed")] == [1]
    await office.approve(run)
    assert [notice["level"] for notice in await office.notices()] == [1, 1]


async def _second_never_leaves(office) -> Any:
    """The first notice arrives; the second, of the eighth day after, has no template."""
    await office.approve(await office.propose(TODAY))
    await office.deliver_all()
    office.on(TODAY + timedelta(days=8))
    await office.approve(await office.propose(office.service.now.date()))
    second = (await office.notices(level=2))[0]
    unknown = office.message(MessageFailedV1, second["id"], reason="template_unknown", was_sent=False)
    await office.service.deliver(unknown)
    return second


async def test_a_notice_that_never_left_leaves_the_debt_at_the_level_before(office, late) -> None:
    """A mistyped template at level 2: the debt stands at level 1, and its interval counts from that notice."""
    second = await _second_never_leaves(office)
    stands = await office.get(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_on"], stands["last_notice_sent_on"]) == (
        1,
        str(TODAY),
        str(TODAY),
    )
    # It is sent again by hand after all: then it counts, from the day it left.
    office.on(TODAY + timedelta(days=10))
    again = office.message(MessageSentV1, second["id"], message_id=new_id())
    await office.service.deliver(again)
    stands = await office.get(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_sent_on"]) == (2, str(TODAY + timedelta(days=10)))


@pytest.mark.parametrize("reason", ["no_address", "address_invalid", "address_refused", "recipient_unknown"])
async def test_no_notice_goes_to_an_address_that_failed(office, late, reason: str) -> None:
    """OCA/credit-control#447: a blacklisted address left lines queued for ever. Here an officer sees the debt."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason=reason, was_sent=False))
    for days in (0, 1, 30):
        office.on(TODAY + timedelta(days=days))
        run = await office.propose(office.service.now.date())
        assert run["found"]["not_proposed"] == {"undeliverable": 1}
        [item] = await office.items(run, state="skipped")
        assert (item["receivable_id"], item["level"], item["reason"]) == (late["id"], 1, "undeliverable")
    assert (await office.get(f"receivables/{late['id']}/next-notice"))["reason"] == "undeliverable"
    # A change of language leaves the address as it is; a new e-mail address corrects it.
    path = f"/v1/customers/{late['customer_id']}"
    for version, body, expected in ((2, {"language": "cy"}, 0), (3, {"email": "right@example.com"}, 1)):
        answer = await office.officer.patch(path, json=body, headers={"if-match": f'"{version}"'})
        assert answer.status_code == 200, answer.text
        run = await office.propose(office.service.now.date())
        assert run["found"]["proposed"] == expected
    await office.approve(run)
    # The older one, withdrawn because of this one, changes nothing.
    superseded = office.message(MessageFailedV1, notice["id"], reason="superseded", was_sent=False)
    await office.service.deliver(superseded)
    assert [notice["delivery_status"] for notice in await office.notices(level=1)] == ["failed", "issued"]
    assert (await office.get(f"receivables/{late['id']}"))["dunning_level"] == 1


@pytest.mark.parametrize(("days", "proposed"), [(8 + 6, 0), (8 + 7, 1)])
async def test_a_notice_that_never_left_is_issued_again_after_its_interval(
    office, late, days: int, proposed: int
) -> None:
    """Level 2 has an interval of 7 days; its notice of day 8 had no template."""
    await _second_never_leaves(office)
    office.on(TODAY + timedelta(days=days))
    found = (await office.propose(office.service.now.date()))["found"]
    assert (found["proposed"], found["not_proposed"].get("interval_not_elapsed", 0)) == (proposed, 1 - proposed)
    assert (await office.get(f"receivables/{late['id']}/next-notice"))["level"] == 2


async def test_a_notice_that_came_back_after_it_left_stays_a_step(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="address_refused"))
    stands = await office.get(f"receivables/{late['id']}")
    assert (stands["dunning_level"], stands["last_notice_sent_on"]) == (1, str(TODAY))


async def test_events_of_another_contract_never_reach_the_hook_of_notices(office, late) -> None:
    """A batch of this service may hold events that are about no message, as soon as another room subscribes to them."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    [raised] = await office.service.published(ReceivableRaisedV1)
    handled: list[Any] = []
    other_room = Handlers()

    @other_room.on(ReceivableRaisedV1)
    async def note_raised(session: AsyncSession, received: Received[ReceivableRaisedV1]) -> None:
        handled.append(received.event)

    handlers = Handlers.including(SERVICE.handlers, other_room)
    message = office.message(MessageDeliveredV1, notice["id"])
    async with office.service.runtime.sessions.begin() as session:
        batch = [Received(event, new_id(), office.service.now) for event in (raised, message)]
        await handlers.handle(session, batch)
    assert handled == [raised]
    assert (await office.notices())[0]["delivery_status"] == "delivered"


async def test_r6_an_address_that_failed_stops_the_next_debts_letter_until_an_officer_confirms_it(office, late) -> None:
    """550 at RCPT: the customer's other debt is not written to it; the mailbox is emptied, an officer says so."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(
        office.message(MessageFailedV1, notice["id"], reason="address_refused", was_sent=False)
    )
    customer = await office.get(f"customers/{late['customer_id']}")
    assert (customer["email_failed_at"] is None, customer["letter_failed_at"]) == (False, None)
    office.on(TODAY + timedelta(days=2))
    other = await office.receivable(customer, 70_00, due_on=TODAY - timedelta(days=3))
    run = await office.propose(office.service.now.date())
    assert run["found"]["not_proposed"] == {"undeliverable": 2}
    found = {item["receivable_id"] for item in await office.items(run, reason="undeliverable")}
    assert found == {late["id"], other["id"]}
    confirmed = AddressConfirmedV1(
        version=2,
        occurred_at=office.service.now,
        by="officer",
        failure_id=new_id(),
        recipient_kind="customer",
        recipient_id=customer["id"],
        channel="email",
    )
    await office.service.deliver(confirmed)
    assert (await office.propose(office.service.now.date()))["found"]["proposed"] == 2
    history = await office.all_items(f"customers/{customer['id']}/history")
    assert [(change["action"], change["reason"]) for change in history] == [
        ("registered", None),
        ("email address failed", "address_refused"),
        ("email address works again", None),
    ]


async def test_r6_an_address_that_failed_between_proposal_and_approval_stops_the_letter(office, late) -> None:
    other = await office.receivable({"id": late["customer_id"]}, 70_00, due_on=TODAY - timedelta(days=3))
    await office.hold(receivable_id=other["id"])
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    [hold] = (await office.get("holds"))["items"]
    await office.release(hold)
    run = await office.propose(TODAY)
    await office.service.deliver(
        office.message(MessageFailedV1, notice["id"], reason="address_refused", was_sent=False)
    )
    assert (await office.approve(run))["outcome"]["dropped"] == {"undeliverable": 1}


async def test_a_failure_reported_after_the_address_was_corrected_says_nothing_of_the_new_one(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    failed = office.message(MessageFailedV1, notice["id"], reason="address_refused", was_sent=False)
    office.on(TODAY + timedelta(days=1))
    path = f"/v1/customers/{late['customer_id']}"
    answer = await office.officer.patch(path, json={"email": "right@example.com"}, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    await office.service.deliver(failed)
    assert (await office.get(f"customers/{late['customer_id']}"))["email_failed_at"] is None
