from datetime import UTC, datetime

from council import Council, a_supplier, an_invoice, approved, created, one_item, until
from council_common.clock import london_date


async def test_payments_wait_while_the_account_is_being_changed_and_the_old_contact_is_warned(
    council: Council,
) -> None:
    supplier = await a_supplier(council)
    invoice = await an_invoice(council, supplier)
    await approved(council, invoice)
    assistant = council.as_("payments_assistant", "a.jones")
    change = created(
        await assistant.post(
            "/v1/bank-account-changes",
            json={
                "supplier_id": supplier["id"],
                "sort_code": "20-00-00",
                "account_number": "55779911",
                "account_name": "New Name",
                "requested_via": "email",
                "note": "asked by e-mail",
            },
        )
    )
    erp = council.as_("erp")

    async def held() -> bool:
        return "bank_account_change" in (await erp.get(f"/v1/invoices/{invoice['id']}")).json()["hold_reasons"]

    await until(held)
    sent = await erp.post(
        "/v1/payments",
        json={
            "invoice_id": invoice["id"],
            "source": {"system": "erp", "reference": f"P-{invoice['id']}"},
            "remitted_on": london_date(datetime.now(UTC)).isoformat(),
            "paid_pence": 120_000,
            "method": "bacs",
        },
    )
    # What the paying system did is recorded, and somebody has to look at it.
    assert (sent.status_code, sent.json()["exceptions"]) == (201, ["bank_account_change"]), sent.text

    mails = await until(lambda: council.mails_to(supplier["contacts"][0]["email"]))
    assert len(mails) == 1
    message = await until(lambda: one_item(council.as_("auditor"), "/v1/messages", about_id=change["id"]))
    body = (await council.as_("auditor").get(f"/v1/messages/{message['id']}/body")).text
    assert "55779911" not in body
    assert "9911" not in body

    own = await council.as_("ap_manager", "a.jones").post(f"/v1/bank-account-changes/{change['id']}/approvals", json={})
    assert own.status_code in {403, 409}

    rejected = await council.as_("ap_manager", "b.patel").post(
        f"/v1/bank-account-changes/{change['id']}/rejections", json={"note": "the firm knows nothing of it"}
    )
    assert rejected.status_code == 201, rejected.text

    async def released() -> bool:
        return (await erp.get(f"/v1/invoices/{invoice['id']}")).json()["hold_reasons"] == []

    await until(released)
