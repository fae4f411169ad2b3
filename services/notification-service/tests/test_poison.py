"""A message that cannot be put into words in its time is set aside; the service and the other messages go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from council_common.contracts.notifications import MessageFailedV1
from notification_factories import a_customer, a_notice
from notification_post import CUSTOMER_ID, HOME, Post, statuses
from notification_service.channels import usecases
from notification_service.message_templates.renderer import CHILD
from notification_service.settings import settings_of

FILTERS = "|upper|lower" * 10
POISON = "{% for a in number %}" + f"{{% if (number{FILTERS}) == 'x' %}}x{{% endif %}}" * 50 + "{% endfor %}"
LONG = "x" * 50_000


@pytest.fixture(autouse=True)
def customer(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME)


async def test_a_template_that_would_work_for_a_week_fails_its_message_and_no_other(post: Post) -> None:
    """Each text is within its bounds; their product is not. The loop goes on, and nothing is tried again."""
    before, poison = a_notice(customer_id=CUSTOMER_ID), a_notice(customer_id=CUSTOMER_ID, number=LONG)
    await post.service.deliver(before)
    version = {"channels": ["email", "letter"], "subject": "x", "text": POISON, "placeholders": {"number": "text"}}
    assert (await post.template("reminder", version)).status_code == 201
    async with post.service.as_("communications_officer") as officer:
        path = "/v1/message-templates/reminder/previews"
        preview = await officer.post(path, json={"values": {"number": LONG}})
        assert (preview.status_code, preview.json()["code"]) == (422, "message-values-malformed")
        assert "rendering_too_slow" in preview.json()["detail"]
    await post.service.deliver(poison)
    await post.send()
    assert (await post.message(about_id=str(before.notice_id)))["status"] == "delivered"
    assert statuses(await post.message(about_id=str(poison.notice_id)))[-1] == ("failed", "rendering_too_slow", 1)
    assert len(post.mail.raw) == 1


async def test_a_message_that_ends_the_process_that_renders_is_set_aside_after_three_attempts(post: Post) -> None:
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID))
    for attempt in (1, 2, 3):
        async with post.service.as_("communications_officer") as officer:
            path = "/v1/message-templates/bank_account_change_warning/previews"
            assert (await officer.post(path, json={"values": {"requested_on": "2026-03-11"}})).status_code == 200
        assert CHILD.pid is not None
        os.kill(CHILD.pid, signal.SIGKILL)
        await post.send()
        wanted = ("queued", "rendering_stopped", attempt) if attempt < 3 else ("failed", "rendering_stopped", 3)
        assert statuses(await post.message())[-1] == wanted
        post.service.now += timedelta(hours=4)
    assert not post.mail.raw


class _Killed(BaseException):
    """The worker is gone: nothing it would have written is written."""


async def test_a_message_that_kills_the_worker_is_counted_before_the_work_and_set_aside(
    racing_post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time its batch is cut off it is taken alone; its neighbours leave, and it ends after five attempts."""
    post = racing_post
    post.others.customers[CUSTOMER_ID] = a_customer(HOME)
    poison, *others = [a_notice(customer_id=CUSTOMER_ID) for _ in range(4)]
    prepare = usecases.prepare

    async def dies_over_one(runtime: Any, claimed: Sequence[Any], **more: Any) -> Any:
        if any(message.about_id == poison.notice_id and message.cut_off < 5 for message in claimed):
            raise _Killed
        return await prepare(runtime, claimed, **more)

    monkeypatch.setattr(usecases, "prepare", dies_over_one)
    await post.service.deliver(poison, *others)
    deaths = 0
    for _ in range(12):
        try:
            await post.send()
        except _Killed:
            deaths += 1
        post.service.now += settings_of(post.service.runtime).send_lease + timedelta(seconds=1)
    delivered = [await post.message(about_id=str(one.notice_id)) for one in others]
    assert [one["status"] for one in delivered] == ["delivered"] * 3
    assert len(post.mail.raw) == 3
    ended = await post.message(about_id=str(poison.notice_id))
    assert (ended["status"], ended["code"]) == ("failed", "attempts_cut_off")
    assert deaths == 5
    (failed,) = await post.service.published(MessageFailedV1)
    assert (failed.reason, failed.was_sent) == ("attempts_cut_off", False)
