from __future__ import annotations

from typing import Any

import pytest
from notification_factories import a_customer, a_notice
from notification_post import CUSTOMER_ID, Post
from notification_stand_ins import words

SEEDED = (
    "bank_account_change_warning",
    "final_notice",
    "letter_to_representatives",
    "pre_legal_notice",
    "reminder",
    "remittance_advice",
    "second_reminder",
)


def a_template(**more: Any) -> dict[str, Any]:
    return {
        "name": "plan_offer",
        "channels": ["email"],
        "subject": "An offer about {{ number }}",
        "text": "You owe {{ amount_pence | money }} since {{ due_on | day }}.",
        "html": "<p>{{ recipient_name }} owes {{ amount_pence | money }}: {{ number }}</p>",
        "placeholders": {"number": "text", "amount_pence": "pence", "due_on": "date"},
        **more,
    }


async def test_the_first_templates_are_there_and_hold_no_legal_figures(post: Post) -> None:
    async with post.service.as_("auditor") as auditor:
        page = (await auditor.get("/v1/message-templates", params={"limit": 4})).json()
        rest = (await auditor.get("/v1/message-templates", params={"limit": 4, "cursor": page["next"]})).json()
    items = page["items"] + rest["items"]
    assert [item["name"] for item in items] == list(SEEDED)
    assert {item["version"] for item in items} == {1}
    for item in items:
        # A figure of the law would be here as a digit (a council's letter quoted one that had long changed).
        assert not any(character.isdigit() for character in item["text"]), item["name"]


async def test_a_preview_shows_money_and_dates_as_people_read_them(post: Post) -> None:
    values = {"number": "<b>R1</b>", "amount_pence": 118_800, "due_on": "2026-03-11"}
    async with post.service.as_("communications_officer") as officer:
        added = await officer.post("/v1/message-templates", json=a_template())
        assert (added.status_code, added.headers["location"]) == (201, "/v1/message-templates/plan_offer")
        preview = await officer.post("/v1/message-templates/plan_offer/previews", json={"values": values})
    assert preview.json() == {
        "template": "plan_offer",
        "template_version": 1,
        "subject": "An offer about <b>R1</b>",
        "text": "You owe £1,188.00 since 11 March 2026.",
        "html": "<p>Mrs A. Example owes £1,188.00: &lt;b&gt;R1&lt;/b&gt;</p>",
    }


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"number": "1"}, "values.amount_pence"),
        ({"number": "1", "amount_pence": "10.00", "due_on": "2026-03-11"}, "values.amount_pence"),
        ({"number": "1", "amount_pence": 1, "due_on": "11/03/2026"}, "values.due_on"),
        ({"number": "1", "amount_pence": 1, "due_on": "2026-03-11", "more": 1}, "values.more"),
    ],
)
async def test_values_that_do_not_fit_are_named(post: Post, values: dict[str, Any], problem: str) -> None:
    async with post.service.as_("communications_officer") as officer:
        await officer.post("/v1/message-templates", json=a_template())
        answer = await officer.post("/v1/message-templates/plan_offer/previews", json={"values": values})
    assert (answer.status_code, answer.json()["code"]) == (422, "message-values-malformed")
    assert problem in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "{{ undeclared }}",
        "{{ number.upper() }}",
        "{{ ''.__class__ }}{% for x in ().__class__.__mro__ %}{{ x.mro() }}{% endfor %}",
        "{% include 'passwords' %}",
        "{% macro m() %}{% endmacro %}",
        "{{ range(9) }}",
        "{{ number | pprint }}",
        "{% if %}",
        "{{ number",
        "nul \x00",
        # Thirty of these doubled a text to ten gigabytes.
        "{{ number ~ number }}",
        "{% set a = number %}",
        "{% set a %}{{ number }}{% endset %}",
        "{% with a = number %}{% endwith %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for a in [[number, number]] %}{% endfor %}",
        "{% for a in (number, number) %}{% endfor %}",
        "{{ {'a': number} }}",
        "{% for a in number recursive %}{% endfor %}",
    ],
)
async def test_a_template_cannot_do_what_templates_may_not(post: Post, text: str) -> None:
    async with post.service.as_("communications_officer") as officer:
        answer = await officer.post(
            "/v1/message-templates", json=a_template(text=text, html=None, subject="x", placeholders={"number": "text"})
        )
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ number.__class__.__mro__ }}",
        "{{ number + number }}",
        "{{ 99999999999999999999 * 99999999999999999999 }}",
        "{{ many | join(many | join) }}",
        "{{ many | join('x' | join) | join(many | join) }}",
        "{% for a in many %}{% for b in many %}{% for c in many %}{% endfor %}{% endfor %}{% endfor %}",
    ],
)
async def test_a_template_cannot_eat_the_memory_or_look_around(post: Post, text: str) -> None:
    async with post.service.as_("communications_officer") as officer:
        given = a_template(text=text, html=None, subject="x", placeholders={"number": "text", "many": "lines"})
        added = await officer.post("/v1/message-templates", json=given)
        assert added.status_code in {201, 422}, added.text
        if added.status_code == 201:
            values = {"number": "1", "many": ["x" * 100] * 500}
            preview = await officer.post("/v1/message-templates/plan_offer/previews", json={"values": values})
            assert preview.status_code == 422, preview.text


async def test_a_template_formats_chooses_and_repeats(post: Post) -> None:
    text = (
        "{% for line in lines %}{{ loop.index }}. {{ line.pence | money }}{% if line.pence > 100 + 1 %}!{% endif %}"
        "{% for part in line.parts %} {{ part }}{% endfor %};\n{% endfor %}{{ names | join(', ') }}"
    )
    values = {"lines": [{"pence": 101, "parts": []}, {"pence": 102, "parts": [1, 2]}], "names": ["a", "<b>"]}
    async with post.service.as_("communications_officer") as officer:
        given = a_template(text=text, html=text, subject="x", placeholders={"lines": "lines", "names": "lines"})
        assert (await officer.post("/v1/message-templates", json=given)).status_code == 201
        preview = await officer.post("/v1/message-templates/plan_offer/previews", json={"values": values})
    assert preview.json()["text"] == "1. £1.01;\n2. £1.02! 1 2;\na, <b>"
    assert preview.json()["html"] == "1. £1.01;\n2. £1.02! 1 2;\na, &lt;b&gt;"


@pytest.mark.parametrize("kind", ["individual", "business"])
@pytest.mark.parametrize("template", ["reminder", "second_reminder", "final_notice", "pre_legal_notice"])
async def test_every_dunning_letter_says_five_things(post: Post, template: str, kind: str) -> None:
    """The amount, the due date, how to pay, how to dispute, where to get help (Pre-Action Protocol for Debt
    Claims 3.1).

    And nothing about letters before, which may never have left.
    """
    post.others.customers[CUSTOMER_ID] = a_customer(kind=kind)
    await post.service.deliver(a_notice(customer_id=CUSTOMER_ID, template=template))
    await post.send()
    (mail,) = post.mail.taken()
    text = words(mail)
    for part in (
        "Amount to pay: £45.50\n",
        "It was due on: 3 March 2026",
        "How to pay\nPay on our website, by phone or by bank transfer.\nPlease give the invoice number R0000123",
        "If something is wrong\nIf you think you do not owe this",
        "If paying is difficult\n",
        "How to reach us\nReply to this message",
    ):
        assert part in text
    for advice in ("StepChange", "Citizens Advice", "National Debtline", "breathing space"):
        assert (advice in text) == (kind == "individual")
    assert " before" not in text.replace("Before any legal step", "").replace("have used before", "")


async def test_html_goes_beside_the_text(post: Post) -> None:
    post.others.customers[CUSTOMER_ID] = a_customer(name="Ames & <Sons>")
    await post.template("plan_offer", a_template(purpose="inform"))
    async with post.service.as_("communications_officer") as officer:
        given = {
            "template": "plan_offer",
            "recipient": {"kind": "customer", "id": str(CUSTOMER_ID)},
            "values": {"number": "R1", "amount_pence": 100, "due_on": "2026-03-11"},
            "purpose": "answer",
            "note": "asked for",
        }
        assert (await officer.post("/v1/messages", json=given)).status_code == 201
    await post.send()
    (mail,) = post.mail.taken()
    html = mail.get_body(("html",))
    assert html is not None
    assert "Ames &amp; &lt;Sons&gt; owes £1.00" in html.get_content()
    assert words(mail).startswith("You owe £1.00")


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "9" * 5_000 + " }}",
        r"{{ '\N{no such name}' }}",
        "{{ " + "(" * 5_000 + "number" + ")" * 5_000 + " }}",
        "{{ " + "not " * 4_000 + "number }}",
        "{{ number" + ".a" * 5_000 + " }}",
        "{{ number" + "|upper" * 2_500 + " }}",
        "{% if number %}" * 500 + "{% endif %}" * 500,
        "{% for a in number %}" * 21 + "{% endfor %}" * 21,
        "{{ number }}" * 1_500,
        "{% autoescape false %}{{ number }}{% endautoescape %}",
        "{% autoescape number %}{{ number }}{% endautoescape %}",
        "{% block a %}{% endblock %}",
    ],
)
async def test_a_template_that_breaks_the_compiler_or_takes_its_rights_is_refused_in_words(
    post: Post, text: str
) -> None:
    async with post.service.as_("communications_officer") as officer:
        for variant in ({"text": text, "html": None}, {"text": "x", "html": text}):
            given = a_template(subject="x", placeholders={"number": "text"}, **variant)
            answer = await officer.post("/v1/message-templates", json=given)
            assert (answer.status_code, answer.json()["code"]) == (422, "message-template-malformed"), answer.text
