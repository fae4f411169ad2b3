from council import Council, a_supplier, an_invoice, approved, in_the_programme, one_item, paid, until


async def test_an_invoice_paid_on_day_nine_earns_its_rebate_and_the_supplier_is_told(council: Council) -> None:
    """payables.md §1.1: received Mon 2 March 2026, run on Wed 11 March: 9 days elapsed, 1.05 % of £1,000 net."""
    supplier = await a_supplier(council)
    await in_the_programme(council, supplier)
    invoice = await an_invoice(council, supplier)
    coordinator = council.as_("early_payment_coordinator")
    expected = await until(lambda: one_item(coordinator, "/v1/rebates", invoice_id=invoice["id"], status="expected"))
    assert expected["expected_pence"] == 1_200  # day 10: £10.00 net and £2.00 VAT (§1.3)

    quote = await coordinator.post(
        "/v1/rebate-quotes",
        json={
            "supplier_id": supplier["id"],
            "received_on": "2026-03-02",
            "remitted_on": "2026-03-11",
            "vat_shares": [{"vat_rate": "20", "net_pence": 100_000, "vat_pence": 20_000}],
        },
    )
    assert quote.status_code == 200, quote.text
    assert quote.json()["rebate_pence"] == 1_260

    await approved(council, invoice)
    payment = await paid(council, invoice, deducted_pence=1_260)
    earned = await until(lambda: one_item(coordinator, "/v1/rebates", payment_id=payment["id"], status="earned"))
    assert (earned["elapsed_days"], earned["accelerated_days"], earned["rate_percent"]) == (9, 21, "1.05")
    assert (earned["rebate_net_pence"], earned["rebate_vat_pence"], earned["variance_pence"]) == (1_050, 210, 0)

    address = supplier["contacts"][0]["email"]
    mails = await until(lambda: council.mails_to(address))
    assert len(mails) == 1
    message = await one_item(council.as_("auditor"), "/v1/messages", about_id=payment["id"])
    body = (await council.as_("auditor").get(f"/v1/messages/{message['id']}/body")).text
    assert "£1,187.40" in body
    assert "£12.60" in body


async def test_a_wrong_deduction_is_a_variance_with_a_cause(council: Council) -> None:
    supplier = await a_supplier(council)
    await in_the_programme(council, supplier)
    invoice = await an_invoice(council, supplier)
    await approved(council, invoice)
    payment = await paid(council, invoice, deducted_pence=1_000)
    coordinator = council.as_("early_payment_coordinator")
    earned = await until(lambda: one_item(coordinator, "/v1/rebates", payment_id=payment["id"], status="earned"))
    assert (earned["rebate_pence"], earned["deducted_pence"], earned["variance_cause"]) == (
        1_260,
        1_000,
        "under_deducted",
    )


async def test_a_returned_payment_takes_the_rebate_back(council: Council) -> None:
    supplier = await a_supplier(council)
    await in_the_programme(council, supplier)
    invoice = await an_invoice(council, supplier)
    await approved(council, invoice)
    payment = await paid(council, invoice, deducted_pence=1_260)
    coordinator = council.as_("early_payment_coordinator")
    await until(lambda: one_item(coordinator, "/v1/rebates", payment_id=payment["id"], status="earned"))
    returned = await council.as_("erp").post(
        f"/v1/payments/{payment['id']}/returns", json={"reason": "5", "returned_on": "2026-03-16"}
    )
    assert returned.status_code == 201, returned.text
    await until(lambda: one_item(coordinator, "/v1/rebates", payment_id=payment["id"], status="reversed"))
    owed = (await council.as_("erp").get(f"/v1/invoices/{invoice['id']}")).json()
    assert (owed["status"], owed["outstanding_pence"]) == ("approved", 120_000)
