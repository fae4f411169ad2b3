"""Approving a run, by HTTP: every item is tested again."""

from datetime import date, timedelta
from typing import Any

from council_common.contracts.debts import DunningNoticeIssuedV1
from council_common.contracts.notifications import MessageDeliveredV1, MessageFailedV1, MessageSentV1
from council_common.ids import new_id

TODAY = date(2026, 3, 11)


async def test_the_proposer_may_not_approve(office, late) -> None:
    run = await office.post("dunning-runs", {"as_at": str(TODAY)}, client=office.officer)
    refused = await office.post(f"dunning-runs/{run['id']}/approvals", status=403)
    assert refused["code"] == "own-request"
    await office.post(f"dunning-runs/{run['id']}/approvals", client=office.coordinator, status=403)
    other = office.service.as_("debt_recovery_officer", "second officer")
    await office.post(f"dunning-runs/{run['id']}/approvals", client=other, status=202)
    assert (await office.post(f"dunning-runs/{run['id']}/approvals", client=other, status=409))[
        "code"
    ] == "illegal-move"


async def test_a_hold_between_proposal_and_approval_drops_the_item(office, late) -> None:
    run = await office.propose(TODAY)
    await office.hold(customer_id=late["customer_id"], reason="breathing_space", ends_on="2026-05-10")
    approved = await office.approve(run)
    assert approved["outcome"] == {"issued": 0, "by_level": [], "dropped": {"on_hold:breathing_space": 1}}
    [item] = await office.items(run)
    assert (item["state"], item["reason"]) == ("dropped", "on_hold:breathing_space")
    assert await office.service.published(DunningNoticeIssuedV1) == []


async def test_payments_between_proposal_and_approval(office, late) -> None:
    other = await office.receivable(await office.customer(), 80_00, due_on=TODAY - timedelta(days=3))
    run = await office.propose(TODAY)
    await office.receipt(100_00, payer_reference=late["number"])
    await office.receipt(30_00, payer_reference=other["number"])
    approved = await office.approve(run)
    assert approved["outcome"]["dropped"] == {"settled": 1}
    [notice] = await office.notices()
    assert (notice["receivable_id"], notice["outstanding_pence"]) == (other["id"], 50_00)


async def _drop(office, late: Any, run: Any, reason: str) -> None:
    """The debt of a proposal was dropped at approval, and no notice was issued."""
    before = len(await office.service.published(DunningNoticeIssuedV1))
    assert (await office.approve(run))["outcome"]["dropped"] == {reason: 1}
    assert len(await office.service.published(DunningNoticeIssuedV1)) == before


async def test_a_customer_suppressed_since_the_proposal(office, late) -> None:
    run = await office.propose(TODAY)
    path = f"/v1/customers/{late['customer_id']}"
    answer = await office.officer.patch(path, json={"suppressed": True}, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    await _drop(office, late, run, "customer_suppressed")


async def test_a_notice_sent_again_since_the_proposal(office, late) -> None:
    """Level 1 failed, level 2 is proposed, an officer sends level 1 again: level 2 waits."""
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="mailbox_full"))
    office.on(TODAY + timedelta(days=8))
    under_way = await office.propose(office.service.now.date())
    again = {"message_id": new_id()}
    await office.service.deliver(office.message(MessageSentV1, notice["id"], **again))
    await _drop(office, late, under_way, "previous_not_delivered")
    office.on(TODAY + timedelta(days=9))
    await office.service.deliver(office.message(MessageFailedV1, notice["id"], reason="mailbox_full", **again))
    office.on(TODAY + timedelta(days=20))
    arrived = await office.propose(office.service.now.date())
    assert arrived["found"]["proposed"] == 1
    again = {"message_id": new_id()}
    await office.service.deliver(office.message(MessageSentV1, notice["id"], **again))
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"], **again))
    await _drop(office, late, arrived, "interval_not_elapsed")


async def test_a_notice_that_never_left_and_leaves_after_the_proposal(office, late) -> None:
    await office.approve(await office.propose(TODAY))
    [notice] = await office.notices()
    stopped = office.message(MessageFailedV1, notice["id"], reason="on_hold", was_sent=False)
    await office.service.deliver(stopped)
    assert (await office.propose(TODAY))["found"]["not_proposed"] == {"interval_not_elapsed": 1}
    office.on(TODAY + timedelta(days=1))
    run = await office.propose(TODAY + timedelta(days=1))
    assert [item["level"] for item in await office.items(run)] == [1]
    await office.service.deliver(office.message(MessageDeliveredV1, notice["id"], message_id=new_id()))
    await _drop(office, late, run, "level_changed")
