from typing import Any
from uuid import UUID, uuid4

import pytest
from council_common.contracts.invoices import (
    InvoiceApprovedV1,
    InvoiceCancelledV1,
    InvoiceHeldV1,
    InvoiceReleasedV1,
)
from council_common.contracts.suppliers import (
    BankAccountActivatedV1,
    BankAccountChangeRejectedV1,
    BankAccountChangeRequestedV1,
    SupplierChangedV1,
    SupplierHeldV1,
    SupplierReleasedV1,
)
from council_common.testing.harness import NOW, Harness
from invoice_service.register.suppliers.rules import KnownSupplier
from invoice_service.register.suppliers.store import keep
from invoice_stories import a_hold, a_payment, a_release, a_supplier, an_invoice, approved, history_of, received, shown


async def test_four_eyes(service: Harness) -> None:
    await a_supplier(service)
    async with service.as_("payments_assistant") as assistant, service.as_("ap_manager") as manager:
        invoice = (await assistant.post("/v1/invoices", json=an_invoice())).json()
        path = f"/v1/invoices/{invoice['id']}/approvals"
        own = await assistant.post(path)
        assert (own.status_code, own.json()["code"]) == (403, "own-request")
        done = await manager.post(path, headers={"idempotency-key": "a"})
        replayed = await manager.post(path, headers={"idempotency-key": "a"})
        twice = await manager.post(path)
    assert (done.status_code, done.json()["status"], done.json()["version"]) == (201, "approved", 2)
    assert replayed.content == done.content
    assert (twice.status_code, twice.json()["code"], twice.json()["current"]) == (409, "illegal-move", "approved")
    [event] = await service.published(InvoiceApprovedV1)
    assert (event.version, event.gross_pence) == (2, 130_500)


async def test_a_hold_is_placed_and_lifted_and_the_invoice_goes_back_to_where_it_was(service: Harness) -> None:
    await a_supplier(service)
    invoice = await approved(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("payments_assistant") as assistant:
        dispute = await assistant.post(f"{base}/holds", json={"reason": "dispute", "note": "Two slabs broken"})
        fraud = await assistant.post(f"{base}/holds", json=a_hold("fraud_check"))
        again = await assistant.post(f"{base}/holds", json=a_hold("dispute"))
        assert (again.status_code, again.json()["code"]) == (409, "hold-already-placed")
        assert (await shown(service, base))["hold_reasons"] == ["dispute", "fraud_check"]
        await assistant.post(f"{base}/holds/{dispute.json()['id']}/releases", json=a_release())
        assert (await shown(service, base))["status"] == "held"
        lifted = await assistant.post(f"{base}/holds/{fraud.json()['id']}/releases", json=a_release())
        twice = await assistant.post(f"{base}/holds/{fraud.json()['id']}/releases", json=a_release())
        nowhere = await assistant.post(f"{base}/holds/{uuid4()}/releases", json=a_release())
    assert lifted.json()["released_by"] is not None
    assert (twice.status_code, twice.json()["code"]) == (409, "hold-already-released")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "invoice-hold-not-found")
    assert (await shown(service, base))["status"] == "approved"
    events = await service.published(InvoiceHeldV1, InvoiceReleasedV1)
    assert [(type(event).__name__, event.version) for event in events] == [
        ("InvoiceHeldV1", 3),
        ("InvoiceHeldV1", 4),
        ("InvoiceHeldV1", 5),
        ("InvoiceReleasedV1", 6),
    ]
    history = await history_of(service, f"{base}")
    assert [change["action"] for change in history] == [
        "received", "approved", "held", "held", "released", "released",
    ]  # fmt: skip
    assert history[2]["detail"] == {"note": "Two slabs broken"}


@pytest.mark.parametrize("reason", ["supplier_held", "bank_account_change"])
async def test_what_follows_the_supplier_is_not_placed_by_hand(service: Harness, reason: str) -> None:
    """Nobody could lift it."""
    await a_supplier(service)
    invoice = await received(service)
    async with service.as_("payments_assistant") as assistant:
        answer = await assistant.post(f"/v1/invoices/{invoice['id']}/holds", json=a_hold(reason))
    assert (answer.status_code, answer.json()["code"]) == (409, "hold-follows-supplier")
    assert (await shown(service, f"/v1/invoices/{invoice['id']}"))["status"] == "received"


@pytest.mark.parametrize("reason", ["duplicate_suspected", "fraud_check"])
async def test_who_sent_an_invoice_does_not_lift_what_it_is_looked_at_for(service: Harness, reason: str) -> None:
    await a_supplier(service)
    async with service.as_("payments_assistant") as assistant, service.as_("ap_manager") as manager:
        invoice = (await assistant.post("/v1/invoices", json=an_invoice())).json()
        base = f"/v1/invoices/{invoice['id']}/holds"
        hold = (await manager.post(base, json=a_hold(reason))).json()
        own = await assistant.post(f"{base}/{hold['id']}/releases", json=a_release())
        other = await manager.post(f"{base}/{hold['id']}/releases", json=a_release())
    assert (own.status_code, own.json()["code"], other.status_code) == (403, "own-request", 201)


async def test_a_hold_ends_on_the_day_that_is_told(service: Harness) -> None:
    await a_supplier(service)
    invoice = await received(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("payments_assistant") as assistant:
        hold = (await assistant.post(f"{base}/holds", json=a_hold("dispute"))).json()
        for day, code in (("2026-03-01", "date-too-early"), ("2026-03-12", "date-in-future")):
            wrong = await assistant.post(f"{base}/holds/{hold['id']}/releases", json=a_release(released_on=day))
            assert (wrong.status_code, wrong.json()["code"]) == (422, code)
            assert wrong.json()["errors"][0]["field"] == "released_on"
        lifted = await assistant.post(f"{base}/holds/{hold['id']}/releases", json=a_release(released_on="2026-03-09"))
        other = (await assistant.post(f"{base}/holds", json=a_hold("missing_po"))).json()
        today = await assistant.post(f"{base}/holds/{other['id']}/releases", json=a_release())
    assert (lifted.status_code, lifted.json()["released_on"]) == (201, "2026-03-09")
    assert today.json()["released_on"] == "2026-03-11"
    history = await history_of(service, f"{base}")
    assert [change["detail"] for change in history if change["action"] == "released"] == [
        {"released_on": day, "reason": "resolved", "note": "It is settled."} for day in ("2026-03-09", "2026-03-11")
    ]  # fmt: skip


async def test_a_held_invoice_is_not_approved(service: Harness) -> None:
    await a_supplier(service)
    invoice = await received(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("ap_manager") as manager:
        await manager.post(f"{base}/holds", json=a_hold("missing_po"))
        answer = await manager.post(f"{base}/approvals")
    assert (answer.status_code, answer.json()["hold_reasons"]) == (409, ["missing_po"])


async def test_a_cancelled_invoice_stays_cancelled(service: Harness) -> None:
    await a_supplier(service)
    invoice = await received(service)
    base = f"/v1/invoices/{invoice['id']}"
    async with service.as_("ap_manager") as manager:
        await manager.post(f"{base}/holds", json=a_hold("dispute"))
        done = await manager.post(f"{base}/cancellations", json=a_hold("withdrawn_by_supplier"))
        for path, body in (("cancellations", a_hold("invalid")), ("holds", a_hold("dispute"))):
            answer = await manager.post(f"{base}/{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "illegal-move")
    assert (done.json()["status"], done.json()["hold_reasons"]) == ("cancelled", [])
    [event] = await service.published(InvoiceCancelledV1)
    assert event.reason == "withdrawn_by_supplier"
    [hold] = (await shown(service, f"{base}/holds"))["items"]
    assert hold["released_at"] is not None


def _about(supplier_id: UUID, version: int, **other: Any) -> dict[str, Any]:
    return {"version": version, "occurred_at": NOW, "by": "treasurer", "supplier_id": supplier_id, **other}


async def test_a_held_supplier_holds_its_unpaid_invoices(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    await a_supplier(service, "S2")
    waiting = await received(service)
    ready = await approved(service, number="2")
    other = await received(service, number="3", supplier={"system": "erp", "reference": "S2"})
    paid = await approved(service, number="4")
    async with service.as_("erp") as erp:
        assert (await erp.post("/v1/payments", json=a_payment(paid["id"]))).status_code == 201
    await service.deliver(SupplierHeldV1(**_about(supplier_id, 2), reason="suspected_fraud"))
    states = [
        (await shown(service, f"/v1/invoices/{invoice['id']}"))["status"] for invoice in (waiting, ready, other, paid)
    ]
    assert states == ["held", "held", "received", "paid"]
    assert len(await service.published(InvoiceHeldV1)) == 2
    [hold] = (await shown(service, f"/v1/invoices/{ready['id']}/holds"))["items"]
    assert hold["placed_by"] == "treasurer"
    async with service.as_("ap_manager") as manager:
        answer = await manager.post(f"/v1/invoices/{ready['id']}/holds/{hold['id']}/releases", json=a_release())
        assert (answer.status_code, answer.json()["code"]) == (409, "hold-follows-supplier")
    await service.deliver(SupplierReleasedV1(**_about(supplier_id, 3)))
    states = [(await shown(service, f"/v1/invoices/{invoice['id']}"))["status"] for invoice in (waiting, ready)]
    assert states == ["received", "approved"]
    released = await service.published(InvoiceReleasedV1)
    assert {str(event.invoice_id) for event in released} == {waiting["id"], ready["id"]}
    [hold] = (await shown(service, f"/v1/invoices/{ready['id']}/holds"))["items"]
    assert hold["released_by"] == "treasurer"


async def test_an_event_older_than_what_is_known_opens_and_holds_nothing(service: Harness) -> None:
    """supplier-service is asked, and answers ahead of its events: held (2), released (3) and held again (4)."""
    supplier_id = await a_supplier(service)
    before = await received(service)
    async with service.runtime.sessions.begin() as session:
        await keep(session, [KnownSupplier(supplier_id, "erp", "S1", "held", 30, version=4)])
    late = await received(service, number="9")
    base, waiting = f"/v1/invoices/{before['id']}", f"/v1/invoices/{late['id']}"
    await service.deliver(SupplierHeldV1(**_about(supplier_id, 2), reason="dispute"))
    await service.deliver(SupplierReleasedV1(**_about(supplier_id, 3)))
    assert (await shown(service, waiting))["hold_reasons"] == ["supplier_held"]
    await service.deliver(SupplierHeldV1(**_about(supplier_id, 4), reason="dispute"))
    assert [(await shown(service, path))["status"] for path in (base, waiting)] == ["held", "held"]
    await service.deliver(SupplierReleasedV1(**_about(supplier_id, 5)))
    assert [(await shown(service, path))["status"] for path in (base, waiting)] == ["received", "received"]
    await service.deliver(SupplierHeldV1(**_about(supplier_id, 4), reason="dispute"))
    assert (await shown(service, base))["status"] == "received"


@pytest.mark.parametrize("rejected", [True, False])
async def test_an_open_bank_change_holds_until_the_last_is_decided(service: Harness, rejected: bool) -> None:
    supplier_id = await a_supplier(service)
    invoice = await approved(service)
    base = f"/v1/invoices/{invoice['id']}"
    first, second = uuid4(), uuid4()
    for version, change_id in ((2, first), (3, second)):
        await service.deliver(
            BankAccountChangeRequestedV1(**_about(supplier_id, version), change_id=change_id, requested_on=NOW.date())
        )
    assert (await shown(service, base))["hold_reasons"] == ["bank_account_change"]
    late = await received(service, number="9")
    assert late["hold_reasons"] == ["bank_account_change"]
    await service.deliver(BankAccountChangeRejectedV1(**_about(supplier_id, 4), change_id=first))
    assert (await shown(service, base))["status"] == "held"
    if rejected:
        await service.deliver(BankAccountChangeRejectedV1(**_about(supplier_id, 5), change_id=second))
    else:
        activated = BankAccountActivatedV1(**_about(supplier_id, 5), change_id=second, approved_by="x")
        await service.deliver(activated)
    assert (await shown(service, base))["status"] == "approved"
    assert (await shown(service, f"/v1/invoices/{late['id']}"))["status"] == "received"


async def test_two_reasons_from_the_supplier_both_have_to_go(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    invoice = await received(service)
    base = f"/v1/invoices/{invoice['id']}"
    change_id = uuid4()
    await service.deliver(
        BankAccountChangeRequestedV1(**_about(supplier_id, 2), change_id=change_id, requested_on=NOW.date()),
        SupplierHeldV1(**_about(supplier_id, 3), reason="dispute"),
    )
    assert (await shown(service, base))["hold_reasons"] == ["bank_account_change", "supplier_held"]
    await service.deliver(SupplierReleasedV1(**_about(supplier_id, 4)))
    assert (await shown(service, base))["hold_reasons"] == ["bank_account_change"]
    await service.deliver(BankAccountChangeRejectedV1(**_about(supplier_id, 5), change_id=change_id))
    assert (await shown(service, base))["status"] == "received"
    versions = [event.version for event in await service.published(InvoiceHeldV1, InvoiceReleasedV1)]
    assert versions == [2, 3, 4, 5]


async def test_changed_terms_reach_new_invoices(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    await service.deliver(
        SupplierChangedV1(
            **_about(supplier_id, 2), changed=["payment_terms_days"], payment_terms_days=7, status="active"
        )
    )
    assert (await received(service))["due_on"] == "2026-03-08"


async def test_a_duplicates_hold_is_released_with_a_reason(service: Harness) -> None:
    """By another person than the one who sent it, with a code and a sentence; both are in the history, with who."""
    await a_supplier(service)
    first, second = await received(service), await received(service, reference="again")
    path = f"/v1/invoices/{second['id']}"
    [hold] = (await shown(service, f"{path}/holds"))["items"]
    assert (second["duplicate_of"], hold["reason"], hold["released_by"]) == (first["id"], "duplicate_suspected", None)
    releases = f"{path}/holds/{hold['id']}/releases"
    async with service.as_("erp") as erp, service.as_("payments_assistant", "A. Jones") as jones:
        assert (await erp.post(releases, json=a_release())).json()["code"] == "own-request"
        for missing in ({"note": "Two deliveries."}, {"reason": "placed_in_error"}):
            assert (await jones.post(releases, json=missing)).status_code == 422
        body = {"reason": "placed_in_error", "note": "The supplier used the number twice: two deliveries."}
        done = (await jones.post(releases, json=body)).json()
    assert (done["released_by_name"], done["release_reason"], done["release_note"]) == ("A. Jones", *body.values())
    *_, change = await history_of(service, path)
    assert (change["by_name"], change["action"]) == ("A. Jones", "released")
    assert {key: change["detail"][key] for key in body} == body
