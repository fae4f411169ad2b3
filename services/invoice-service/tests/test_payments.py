from datetime import date
from uuid import uuid4

import pytest
from council_common.contracts.invoices import InvoiceHeldV1, InvoicePaidV1, PaymentReturnedV1
from council_common.contracts.suppliers import SupplierHeldV1
from council_common.testing.harness import NOW, Harness
from invoice_service.paying.payments.rules import PaymentMethod, arrival
from invoice_stories import a_hold, a_payment, a_release, a_supplier, approved, history_of, shown


async def test_an_invoice_is_paid_with_the_rebate_deducted(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    body = a_payment(invoice["id"], paid=129_195, deducted=1_305)
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/payments", json=body, headers={"idempotency-key": "p"})
        replayed = await erp.post("/v1/payments", json=body, headers={"idempotency-key": "p"})
        again = await erp.post("/v1/payments", json=body)
        other = await erp.post("/v1/payments", json=body | {"paid_pence": 1})
    payment = answer.json()
    assert (answer.status_code, replayed.content, again.status_code) == (201, answer.content, 200)
    assert again.json() == payment
    assert (other.status_code, other.json()["code"]) == (409, "source-reference-taken")
    assert other.json()["fields"] == ["paid_pence"]
    assert await shown(service, answer.headers["location"]) == payment
    paid = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (paid["status"], paid["paid_on"], paid["outstanding_pence"]) == ("paid", "2026-03-11", 0)
    assert (paid["paid_pence"], paid["deducted_pence"]) == (129_195, 1_305)
    # Names beside ids for people; events have ids alone.
    assert (paid["received_by_name"], paid["approved_by_name"], payment["recorded_by_name"]) == (
        "erp", "ap_manager", "erp",
    )  # fmt: skip
    [event] = await service.published(InvoicePaidV1)
    assert (event.settled, event.paid_pence, event.deducted_pence, event.version) == (True, 129_195, 1_305, 3)
    assert (event.valid_on, str(event.remitted_on), str(event.arrives_on)) == (None, "2026-03-11", "2026-03-13")
    assert [(share.net_pence, share.vat_pence) for share in event.vat_shares] == [(10_000, 500), (100_000, 20_000)]
    assert [change["action"] for change in await history_of(service, f"/v1/payments/{payment['id']}")] == ["recorded"]


async def test_part_payments_settle_the_invoice_to_the_penny(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        for number, paid in enumerate((33_333, 1, 97_166)):
            body = a_payment(invoice["id"], paid=paid, reference=f"P{number}")
            assert (await erp.post("/v1/payments", json=body)).status_code == 201
        over = await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=1, reference="P9"))
    assert (over.status_code, over.json()["exceptions"], over.json()["vat_shares"]) == (201, ["paid_twice"], [])
    events = await service.published(InvoicePaidV1)
    assert [event.settled for event in events] == [False, False, True]
    assert [sum(s.net_pence + s.vat_pence for s in event.vat_shares) for event in events] == [33_333, 1, 97_166]
    sums = [
        (sum(event.vat_shares[i].net_pence for event in events), sum(event.vat_shares[i].vat_pence for event in events))
        for i in (0, 1)
    ]
    assert sums == [(10_000, 500), (100_000, 20_000)]


async def test_only_what_is_malformed_or_contradicts_itself_is_refused(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        for body, status, code in (
            (a_payment(str(uuid4())), 404, "invoice-not-found"),
            (a_payment(invoice["id"], paid=0), 422, "malformed"),
            (a_payment(invoice["id"], paid=-5), 422, "malformed"),
            (a_payment(invoice["id"]) | {"paid_pence": 1.5}, 422, "malformed"),
            (a_payment(invoice["id"]) | {"method": "cash"}, 422, "malformed"),
            (a_payment(invoice["id"]) | {"remitted_on": "2026-03-12"}, 422, "date-in-future"),
            (a_payment(invoice["id"]) | {"arrives_on": "2026-03-10"}, 422, "dates-out-of-order"),
            (a_payment(invoice["id"]) | {"remitted_on": 1_773_187_200}, 422, "malformed"),
            (a_payment(invoice["id"]) | {"arrives_on": "9999-12-31"}, 422, "malformed"),
            (a_payment(invoice["id"]) | {"reference": "RUN\n42"}, 422, "malformed"),
            (a_payment(invoice["id"]) | {"reference": "longer than 18 char"}, 422, "malformed"),
        ):
            answer = await erp.post("/v1/payments", json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await service.published(InvoicePaidV1) == []


async def test_a_payment_comes_back_once(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        first = (await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=100_000))).json()
        second = a_payment(invoice["id"], paid=30_500, reference="P2")
        second = (await erp.post("/v1/payments", json=second)).json()
        early = await erp.post(f"/v1/payments/{first['id']}/returns", json={"reason": "5", "returned_on": "2026-03-10"})
        assert (early.status_code, early.json()["code"]) == (422, "date-too-early")
        wrong = await erp.post(f"/v1/payments/{first['id']}/returns", json={"reason": "9", "returned_on": "2026-03-11"})
        assert wrong.status_code == 422
        body = {"reason": "5", "returned_on": "2026-03-11", "note": "The bank telephoned."}
        back = await erp.post(f"/v1/payments/{first['id']}/returns", json=body)
        twice = await erp.post(f"/v1/payments/{first['id']}/returns", json=body)
        other = await erp.post(f"/v1/payments/{first['id']}/returns", json=body | {"reason": "0"})
    assert (back.status_code, back.json()["status"], back.json()["return_reason"]) == (201, "returned", "5")
    # Sent again it is the same answer, as of every other repeat; another reason contradicts the first.
    assert (twice.status_code, twice.json()) == (200, back.json())
    assert (other.status_code, other.json()["code"]) == (409, "illegal-move")
    [*_, last] = (await shown(service, f"/v1/payments/{first['id']}/history"))["items"]
    assert (last["action"], last["reason"], last["detail"]) == ("returned", "5", {"note": "The bank telephoned."})
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["paid_on"], owed["outstanding_pence"]) == ("approved", None, 100_000)
    [event] = await service.published(PaymentReturnedV1)
    assert (event.reason, event.paid_pence, event.gross_pence, event.version) == ("5", 100_000, 130_500, 5)
    await service.deliver(SupplierHeldV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, reason="dispute"))
    async with service.as_("erp") as erp:
        back = await erp.post(f"/v1/payments/{second['id']}/returns", json=body)
    assert back.status_code == 201
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["outstanding_pence"]) == ("held", 130_500)


async def test_a_returned_payment_of_a_held_supplier_is_held_until_it_is_released(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        payment = (await erp.post("/v1/payments", json=a_payment(invoice["id"]))).json()
        await service.deliver(
            SupplierHeldV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, reason="dispute")
        )
        body = {"reason": "B", "returned_on": "2026-03-11"}
        assert (await erp.post(f"/v1/payments/{payment['id']}/returns", json=body)).status_code == 201
    owed = await shown(service, f"/v1/invoices/{invoice['id']}")
    assert (owed["status"], owed["hold_reasons"]) == ("held", ["supplier_held"])
    [held] = await service.published(InvoiceHeldV1)
    assert held.version == owed["version"] == 5
    history = await history_of(service, f"/v1/invoices/{invoice['id']}")
    assert [(change["version"], change["action"]) for change in history] == [
        (1, "received"), (2, "approved"), (3, "payment recorded"), (4, "payment returned"), (5, "held"),
    ]  # fmt: skip
    assert history[-1]["detail"] == {"reasons": ["supplier_held"]}


async def test_a_settled_dispute_moves_the_day_the_invoice_was_valid(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("erp") as erp:
        hold = (await erp.post(f"{base}/holds", json=a_hold("dispute"))).json()
        await erp.post(f"{base}/holds/{hold['id']}/releases", json=a_release())
        part = await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=500))
        assert part.status_code == 201
        cancel = await erp.post(f"{base}/cancellations", json=a_hold("duplicate"))
        assert (cancel.status_code, cancel.json()["code"]) == (409, "invoice-part-paid")
    [event] = await service.published(InvoicePaidV1)
    assert (str(event.valid_on), event.disputed) == ("2026-03-11", False)


@pytest.mark.parametrize(
    ("began_on", "ended_on", "valid_on", "disputed"),
    [
        ("2026-03-02", "2026-03-02", date(2026, 3, 2), False),
        ("2026-03-05", "2026-03-09", date(2026, 3, 9), False),
        ("2026-03-05", "2026-03-10", None, True),  # sent on the 9th: it was paid in dispute
        ("2026-03-09", "2026-03-10", None, True),
        ("2026-03-10", "2026-03-11", None, False),  # it began when the money was on its way
        (None, "2026-03-11", None, False),  # sent today, the 11th
    ],
)
async def test_no_invoice_is_valid_only_after_it_was_paid(
    service: Harness, began_on: str | None, ended_on: str, valid_on: date | None, *, disputed: bool
) -> None:
    """The programme's terms: no rebate while disputed; day 0 of a clock is never after the payment."""
    await a_supplier(service)
    invoice = await approved(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("erp") as erp:
        hold = (await erp.post(f"{base}/holds", json=a_hold("dispute", placed_on=began_on))).json()
        await erp.post(f"{base}/holds/{hold['id']}/releases", json=a_release(released_on=ended_on))
        body = a_payment(invoice["id"]) | {"remitted_on": "2026-03-09", "arrives_on": "2026-03-11"}
        assert (await erp.post("/v1/payments", json=body)).status_code == 201
    [event] = await service.published(InvoicePaidV1)
    assert (event.valid_on, event.disputed) == (valid_on, disputed)


async def test_a_payment_says_how_and_under_which_reference(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    body = a_payment(invoice["id"], paid=500)
    async with service.as_("erp") as erp:
        await erp.post("/v1/payments", json=body)
        await erp.post("/v1/payments", json=body | {"source": {"system": "erp", "reference": "P2"}, "reference": ""})
    first, second = await service.published(InvoicePaidV1)
    assert (first.method, first.payment_reference, first.purchase_order_number) == ("bacs", "RUN 42", "PO-77")
    assert second.payment_reference is None


@pytest.mark.parametrize(
    ("method", "remitted_on", "arrives_on"),
    [
        ("bacs", "2026-03-03", "2026-03-05"),
        ("bacs", "2026-03-07", "2026-03-11"),  # a Saturday's file is input on Monday
        ("faster_payment", "2026-03-07", "2026-03-07"),
    ],
)
async def test_when_the_funds_arrive_follows_from_the_method(
    service: Harness, method: str, remitted_on: str, arrives_on: str
) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    body = a_payment(invoice["id"]) | {"method": method, "remitted_on": remitted_on}
    del body["arrives_on"]
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/payments", json=body)
        again = await erp.post("/v1/payments", json=body)
    assert (answer.status_code, answer.json()["arrives_on"], again.status_code) == (201, arrives_on, 200)
    [event] = await service.published(InvoicePaidV1)
    assert str(event.arrives_on) == arrives_on


@pytest.mark.parametrize(
    ("remitted_on", "arrives_on"),
    [
        (date(2026, 3, 11), date(2026, 3, 13)),  # sent on Wednesday, there on Friday
        (date(2026, 3, 7), date(2026, 3, 11)),
        (date(2026, 4, 3), date(2026, 4, 9)),  # Good Friday: input on the Tuesday after Easter
        (date(2026, 4, 28), date(2026, 4, 30)),
    ],
)
def test_the_bacs_cycle(remitted_on: date, arrives_on: date) -> None:
    """Pay.UK, Bacs processing calendar: input, processing, entry."""
    assert arrival(PaymentMethod.BACS, remitted_on=remitted_on, stated=None) == arrives_on


@pytest.mark.parametrize("method", ["cheque", "card"])
async def test_a_cheque_or_card_says_when_its_funds_arrive(service: Harness, method: str) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    body = a_payment(invoice["id"]) | {"method": method}
    async with service.as_("erp") as erp:
        refused = await erp.post("/v1/payments", json=body | {"arrives_on": None})
        accepted = await erp.post("/v1/payments", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "payment-malformed")
    assert refused.json()["errors"][0]["field"] == "arrives_on"
    assert (accepted.status_code, accepted.json()["arrives_on"]) == (201, "2026-03-13")


async def test_payments_are_listed(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    async with service.as_("erp") as erp:
        for number in range(3):
            await erp.post("/v1/payments", json=a_payment(invoice["id"], paid=10, reference=f"P{number}"))
    page = await shown(service, f"/v1/payments?invoice_id={invoice['id']}&limit=2")
    rest = await shown(service, f"/v1/payments?invoice_id={invoice['id']}&limit=2&cursor={page['next']}")
    assert [len(page["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    for query, count in (("status=returned", 0), ("remitted_from=2026-03-11", 3), ("source_reference=P1", 1)):
        assert len((await shown(service, f"/v1/payments?{query}"))["items"]) == count
