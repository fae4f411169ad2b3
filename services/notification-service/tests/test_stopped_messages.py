"""Suppression, breathing space and death stop every message that enforces a debt, also one sent by hand (case R10).

What SI 2020/1311 reg 11(2) allows passes only under a named purpose, with the reason in the history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from council_common.ids import new_id
from notification_factories import a_customer, a_supplier
from notification_post import CUSTOMER_ID, HOME, SUPPLIER_ID, Post, statuses
from notification_stand_ins import a_debt, words

DEBT, OTHER_DEBT = new_id(), new_id()
ADVISER = {"role": "debt_adviser", "name": "Ashford Debt Advice", "email": "help@advice.example"}
EXECUTOR = {
    "role": "representative",
    "name": "Mr P. Ames",
    "email": None,
    "address": {"lines": ["9 Weir Road", "Ashford"], "postcode": "TN23 1AB"},
}
REMINDER = {"number": "R0000123", "level": 1, "issued_on": "2026-03-11", "due_on": "2026-03-03"}
INFORMS = {
    "name": "answer",
    "purpose": "inform",
    "channels": ["email", "letter"],
    "subject": "You asked",
    "text": "This.",
}


def a_reminder(**more: Any) -> dict[str, Any]:
    return {
        "template": "reminder",
        "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
        "receivable_id": str(DEBT),
        "values": REMINDER | {"outstanding_pence": 4_550, "days_overdue": 8},
        "note": "rang, wants it in writing",
    } | more


def an_answer(purpose: str, **more: Any) -> dict[str, Any]:
    return a_reminder(template="answer", purpose=purpose, values={}, receivable_id=None) | more


def a_hold(reason: str, receivable_id: UUID | None = None) -> dict[str, Any]:
    """As debt-service answers: a death and a breathing space hold everything, whichever debt they name."""
    holds_all = receivable_id is None or reason in {"deceased", "breathing_space"}
    return {
        "reason": reason,
        "receivable_id": None if receivable_id is None else str(receivable_id),
        "holds_all": holds_all,
    }


@pytest.fixture(autouse=True)
async def customer(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME)
    assert (await post.template("answer", INFORMS)).status_code == 201


async def sent(post: Post, message: dict[str, Any]) -> httpx.Response:
    async with post.service.as_("communications_officer") as officer:
        return await officer.post("/v1/messages", json=message)


@pytest.mark.parametrize(
    ("record", "holds", "debt", "reason"),
    [
        ({"suppressed": True}, [], {}, "suppressed"),
        ({"on_hold": True}, [a_hold("breathing_space")], {}, "breathing_space"),
        ({}, [a_hold("breathing_space", DEBT)], {"on_hold": True}, "breathing_space"),
        ({"on_hold": True}, [a_hold("breathing_space", OTHER_DEBT)], {"on_hold": True}, "breathing_space"),
        ({}, [a_hold("deceased", OTHER_DEBT)], {}, "deceased"),
        ({"on_hold": True}, [a_hold("deceased")], {}, "deceased"),
        ({"on_hold": True}, [a_hold("vulnerability")], {}, "on_hold"),
        ({}, [a_hold("dispute", DEBT)], {"on_hold": True}, "on_hold"),
        ({}, [], {"outstanding_pence": 0, "status": "settled"}, "settled"),
        ({}, [], {"outstanding_pence": 0, "status": "cancelled"}, "receivable_cancelled"),
        ({}, [], {"outstanding_pence": 8_550}, "balance_changed"),
    ],
)
async def test_r10_a_reminder_by_hand_is_refused_with_the_reason(
    post: Post, record: dict[str, Any], holds: list[dict[str, Any]], debt: dict[str, Any], reason: str
) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | record
    post.others.holds[CUSTOMER_ID] = holds
    post.others.receivables[DEBT] = a_debt(**debt)
    answer = await sent(post, a_reminder())
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (409, "message-stopped", reason)
    assert await post.messages() == []


@pytest.mark.parametrize(
    ("record", "holds", "code"),
    [
        ({"suppressed": True}, [], "suppressed"),
        ({"on_hold": True}, [a_hold("breathing_space")], "breathing_space"),
        ({}, [a_hold("deceased", OTHER_DEBT)], "deceased"),
    ],
)
async def test_r10_a_reminder_by_hand_that_waits_is_stopped_before_it_leaves(
    post: Post, record: dict[str, Any], holds: list[dict[str, Any]], code: str
) -> None:
    post.mail.refusals[HOME] = "451 4.3.0 Mailbox busy"
    assert (await sent(post, a_reminder())).status_code == 201
    await post.send()
    post.mail.refusals.clear()
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | record
    post.others.holds[CUSTOMER_ID] = holds
    post.service.now += timedelta(minutes=1)
    await post.send()
    assert not post.mail.raw
    assert statuses(await post.message())[-1][:2] == ("cancelled", code)


@pytest.mark.parametrize(
    "message",
    [
        a_reminder(purpose="ongoing_liability"),
        a_reminder(purpose="outside_moratorium"),
        a_reminder(purpose="court_proceedings"),
        an_answer("answer"),
        an_answer("debt_adviser", addressee=ADVISER),
    ],
)
async def test_what_regulation_11_allows_passes_under_its_name_and_is_recorded(
    post: Post, message: dict[str, Any]
) -> None:
    """SI 2020/1311 reg 11(2)."""
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | {"on_hold": True}
    post.others.holds[CUSTOMER_ID] = [a_hold("breathing_space")]
    answer = await sent(post, message)
    assert answer.status_code == 201, answer.text
    await post.send()
    written = await post.message()
    assert (written["status"], written["purpose"]) == ("delivered", message["purpose"])
    assert written["status_history"][0]["explanation"] == message["note"]
    to = ADVISER["email"] if message["purpose"] == "debt_adviser" else HOME
    assert post.mail.envelopes[0][1] == (to,)


@pytest.mark.parametrize("purpose", ["ongoing_liability", "outside_moratorium"])
async def test_the_very_debt_of_a_breathing_space_is_not_outside_it(post: Post, purpose: str) -> None:
    post.others.holds[CUSTOMER_ID] = [a_hold("breathing_space", DEBT)]
    assert (await sent(post, a_reminder(purpose=purpose))).json()["reason"] == "breathing_space"
    assert (await sent(post, a_reminder())).json()["reason"] == "breathing_space"
    post.others.holds[CUSTOMER_ID] = [a_hold("breathing_space", OTHER_DEBT)]
    assert (await sent(post, a_reminder(purpose=purpose))).status_code == 201


@pytest.mark.parametrize("message", [an_answer("answer"), an_answer("inform"), a_reminder(purpose="court_proceedings")])
async def test_after_a_death_nothing_goes_to_the_dead(post: Post, message: dict[str, Any]) -> None:
    post.others.holds[CUSTOMER_ID] = [a_hold("deceased")]
    assert (await sent(post, message)).json()["reason"] == "deceased"


async def test_representatives_get_a_letter_of_their_own(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(HOME) | {"on_hold": True, "suppressed": True}
    post.others.holds[CUSTOMER_ID] = [a_hold("deceased")]
    message = a_reminder(
        template="letter_to_representatives",
        purpose="estate",
        channel="letter",
        addressee=EXECUTOR,
        values={
            "deceased_name": "Mrs E. Ames",
            "number": "R0000123",
            "due_on": "2026-03-03",
            "outstanding_pence": 4_550,
        },
    )
    assert (await sent(post, message)).status_code == 201
    await post.send()
    (letter,) = post.mail.taken()
    assert words(letter).startswith("Mr P. Ames\n9 Weir Road\nAshford\nTN23 1AB\n")
    assert "Dear Mr P. Ames" in words(letter)
    written = await post.message()
    assert (written["status"], written["addressee_role"]) == ("delivered", "representative")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (a_reminder(receivable_id=None), "receivable_id"),
        (a_reminder(purpose="answer"), "template"),
        (a_reminder(purpose="inform"), "template"),
        (an_answer("debt_adviser"), "addressee"),
        (an_answer("answer", addressee=ADVISER), "addressee"),
        (an_answer("estate", addressee=ADVISER), "addressee"),
        (an_answer("debt_adviser", addressee=ADVISER | {"email": None}), "body"),
        (an_answer("answer", note=None), "note"),
        (an_answer("answer", recipient={"kind": "supplier", "id": str(SUPPLIER_ID)}), "purpose"),
        (a_reminder(recipient={"kind": "supplier", "id": str(SUPPLIER_ID)}, purpose="inform"), "receivable_id"),
        (a_reminder(values=a_reminder()["values"] | {"number": "R0000124"}), "values.number"),
        (a_reminder(values=a_reminder()["values"] | {"due_on": "2026-03-04"}), "values.due_on"),
    ],
)
async def test_purpose_words_and_recipient_go_together(post: Post, message: dict[str, Any], field: str) -> None:
    post.others.suppliers[SUPPLIER_ID] = a_supplier(("a@ackroyd.example", "general"))
    answer = await sent(post, message)
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_a_debt_of_another_customer_is_not_written_about(post: Post) -> None:
    post.others.receivables[DEBT] = a_debt(customer_id=str(new_id()))
    answer = await sent(post, a_reminder())
    assert [error["field"] for error in answer.json()["errors"]] == ["receivable_id"]


async def test_who_and_what_is_not_known_is_not_written_to(post: Post) -> None:
    unknown = await sent(post, a_reminder(recipient={"kind": "customer", "id": str(new_id())}))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "customer-not-found")
    post.others.missing.add(DEBT)
    assert (await sent(post, a_reminder())).json()["code"] == "receivable-not-found"


async def test_what_cannot_be_found_out_is_not_sent(post: Post) -> None:
    post.others.away = True
    answer = await sent(post, a_reminder())
    assert answer.status_code == 503
    assert await post.messages() == []
