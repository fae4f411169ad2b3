import asyncio
from typing import Any

import pytest
from council_common.contracts.invoices import (
    DuplicateSuspectedV1,
    InvoiceApprovedV1,
    InvoicePaidV1,
    InvoiceReceivedV1,
    PaymentExceptionFoundV1,
)
from council_common.testing.harness import Harness
from invoice_stories import (
    a_hold,
    a_payment,
    a_supplier,
    a_supplier_seen,
    an_invoice,
    approved,
    history_of,
    received,
    shown,
)

# A supplier's first invoice goes the careful way, the next ones the short one.
both_ways = pytest.mark.parametrize(("supplier", "before"), [(a_supplier, 0), (a_supplier_seen, 1)])


@both_ways
async def test_twenty_posts_with_one_key_make_one_invoice(racing_service: Harness, supplier: Any, before: int) -> None:
    await supplier(racing_service)
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k"}) for _ in range(20))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {f"/v1/invoices/{answers[0].json()['id']}"}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(await racing_service.published(InvoiceReceivedV1)) == before + 1


async def test_twenty_posts_with_one_source_and_their_own_keys_make_one_invoice(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(
                erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": f"k{number % 15}"})
                for number in range(20)
            )
        )
    statuses = [answer.status_code for answer in answers if "idempotency-replayed" not in answer.headers]
    assert sorted(statuses)[-1] == 201 and statuses.count(201) == 1
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await racing_service.published(InvoiceReceivedV1)) == 1


@both_ways
async def test_of_racing_duplicates_one_is_first_and_the_others_are_held(
    racing_service: Harness, supplier: Any, before: int
) -> None:
    await supplier(racing_service)
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(erp.post("/v1/invoices", json=an_invoice(reference=f"R{number}")) for number in range(8))
        )
    invoices = [answer.json() for answer in answers]
    [first] = [invoice for invoice in invoices if invoice["status"] == "received"]
    assert {invoice["duplicate_of"] for invoice in invoices} == {None, first["id"]}
    assert len(await racing_service.published(InvoiceReceivedV1)) == before + 8
    assert len(await racing_service.published(DuplicateSuspectedV1)) == 7


async def test_racing_payments_are_all_recorded_once_and_what_is_too_much_is_to_be_recovered(
    racing_service: Harness,
) -> None:
    await a_supplier(racing_service)
    invoice = await approved(racing_service)
    async with racing_service.as_("erp") as erp:
        answers = await asyncio.gather(
            *(
                erp.post("/v1/payments", json=a_payment(invoice["id"], paid=50_000, reference=f"P{number}"))
                for number in range(6)
            ),
            *(
                erp.post("/v1/payments", json=a_payment(invoice["id"], paid=30_500, reference="P-last"))
                for _ in range(3)
            ),
        )
    assert {answer.status_code for answer in answers} == {200, 201}
    payments = {answer.json()["id"]: answer.json() for answer in answers}
    assert sorted(payment["source"]["reference"] for payment in payments.values()) == [
        "P-last", *(f"P{number}" for number in range(6))
    ]  # fmt: skip
    owed = await shown(racing_service, f"/v1/invoices/{invoice['id']}")
    assert (owed["outstanding_pence"], owed["status"]) == (0, "paid")
    assert sum(event.paid_pence for event in await racing_service.published(InvoicePaidV1)) == 130_500
    over = sum(payment["overpaid_pence"] for payment in payments.values())
    assert over == 6 * 50_000 + 30_500 - 130_500
    assert sum(event.recover_pence for event in await racing_service.published(PaymentExceptionFoundV1)) == over
    versions = [change["version"] for change in await history_of(racing_service, f"/v1/invoices/{invoice['id']}")]
    assert versions == list(range(1, owed["version"] + 1))


@pytest.mark.parametrize("key", ["k", None])
async def test_of_racing_approvals_one_approves(racing_service: Harness, key: str | None) -> None:
    await a_supplier(racing_service)
    invoice = await received(racing_service)
    path = f"/v1/invoices/{invoice['id']}/approvals"
    async with racing_service.as_("ap_manager") as manager:
        headers = [{"idempotency-key": key or f"k{number}"} for number in range(12)]
        answers = await asyncio.gather(*(manager.post(path, headers=own) for own in headers))
    assert [event.version for event in await racing_service.published(InvoiceApprovedV1)] == [2]
    assert [change["action"] for change in await history_of(racing_service, f"/v1/invoices/{invoice['id']}")] == [
        "received", "approved",
    ]  # fmt: skip
    if key:
        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    else:
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 11]
        assert {answer.json().get("code") for answer in answers} == {None, "illegal-move"}


async def test_an_act_and_a_change_of_the_same_invoice_at_one_moment_both_count(racing_service: Harness) -> None:
    """Whatever was read before the other one wrote is read again: no version is lost or used twice."""
    await a_supplier(racing_service)
    for round_ in range(8):
        invoice = await received(racing_service, number=f"N{round_}", reference=f"R{round_}")
        path = f"/v1/invoices/{invoice['id']}"
        async with racing_service.as_("ap_manager") as manager, racing_service.as_("payments_assistant") as assistant:
            approval, hold = await asyncio.gather(
                manager.post(f"{path}/approvals"), assistant.post(f"{path}/holds", json=a_hold("dispute"))
            )
        assert hold.status_code == 201
        assert (approval.status_code, approval.json().get("code")) in {(201, None), (409, "invoice-held")}
        done = await shown(racing_service, path)
        versions = [change["version"] for change in await history_of(racing_service, path)]
        assert versions == list(range(1, done["version"] + 1))
        assert done["status"] == "held"


async def test_a_key_of_an_act_gives_its_first_answer_and_refuses_another_request(racing_service: Harness) -> None:
    await a_supplier(racing_service)
    first, second = await received(racing_service), await received(racing_service, number="B", reference="B")
    key = {"idempotency-key": "k"}
    async with racing_service.as_("ap_manager") as manager:
        done = await manager.post(f"/v1/invoices/{first['id']}/approvals", headers=key)
        again = await manager.post(f"/v1/invoices/{first['id']}/approvals", headers=key)
        other = await manager.post(f"/v1/invoices/{second['id']}/approvals", headers=key)
    assert (again.content, again.headers["etag"]) == (done.content, done.headers["etag"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (await shown(racing_service, f"/v1/invoices/{second['id']}"))["status"] == "received"


async def test_an_approval_and_a_payment_take_two_statements_and_no_transaction(
    racing_service: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measured hot paths, exceptions among them: without sessions there is nothing but the two statements."""
    await a_supplier(racing_service)
    plain, early = await received(racing_service), await received(racing_service, number="2")
    with monkeypatch.context() as patched:
        patched.setattr(racing_service.runtime, "sessions", None)
        async with racing_service.as_("ap_manager") as manager, racing_service.as_("erp") as erp:
            approval = await manager.post(f"/v1/invoices/{plain['id']}/approvals", headers={"idempotency-key": "a"})
            bodies = [a_payment(plain["id"], paid=130_501), a_payment(early["id"], reference="P2")]
            payments = [await erp.post("/v1/payments", json=body) for body in bodies]
    assert approval.status_code == 201
    assert [payment.json()["exceptions"] for payment in payments] == [["overpaid"], ["not_approved"]]
    assert len(await racing_service.published(PaymentExceptionFoundV1)) == 2
