from typing import Any

import pytest
from council_common.contracts.invoices import DuplicateSuspectedV1, InvoiceHeldV1, InvoiceReceivedV1
from council_common.contracts.suppliers import SupplierChangedV1, SupplierHeldV1
from council_common.testing.harness import NOW, Harness
from invoice_stories import a_hold, a_release, a_supplier, an_invoice, history_of, received, shown


async def test_the_erp_posts_an_invoice(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k1"})
    assert answer.status_code == 201
    invoice = answer.json()
    assert await shown(service, answer.headers["location"]) == invoice
    assert answer.headers["etag"] == '"1"'
    assert invoice["supplier_id"] == str(supplier_id)
    assert (invoice["status"], invoice["hold_reasons"], invoice["version"]) == ("received", [], 1)
    assert (invoice["due_on"], invoice["pay_by"]) == ("2026-03-31", "2026-03-31")
    assert (invoice["gross_pence"], invoice["outstanding_pence"]) == (130_500, 130_500)
    assert invoice["lines"][1]["vat_rate"] == "5"
    [event] = await service.published()
    assert isinstance(event, InvoiceReceivedV1)
    assert (str(event.invoice_id), event.version, event.kind, event.historic) == (invoice["id"], 1, "invoice", False)
    assert [(str(share.vat_rate), share.net_pence, share.vat_pence) for share in event.vat_shares] == [
        ("5.0", 10_000, 500),
        ("20", 100_000, 20_000),
    ]
    [first] = await history_of(service, f"/v1/invoices/{invoice['id']}")
    assert (first["action"], first["version"], first["by_name"]) == ("received", 1, "erp")


async def test_the_same_key_replays_and_another_body_is_refused(service: Harness) -> None:
    await a_supplier(service)
    async with service.as_("erp") as erp:
        first = await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k1"})
        again = await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k1"})
        other = await erp.post("/v1/invoices", json=an_invoice("X"), headers={"idempotency-key": "k1"})
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.headers["etag"], again.headers["location"]) == (first.headers["etag"], first.headers["location"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await service.published()) == 1


async def test_the_same_source_reference_answers_what_is_there(service: Harness) -> None:
    await a_supplier(service)
    async with service.as_("erp") as erp:
        first = await erp.post("/v1/invoices", json=an_invoice())
        again = await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k2"})
        replayed = await erp.post("/v1/invoices", json=an_invoice(), headers={"idempotency-key": "k2"})
        other = await erp.post("/v1/invoices", json=an_invoice(received_on="2026-03-03"))
    assert (again.status_code, again.json()) == (200, first.json())
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (200, "true")
    for answer in (again, replayed):
        assert (answer.headers["location"], answer.headers["etag"]) == (first.headers["location"], '"1"')
    assert (other.status_code, other.json()["code"]) == (409, "source-reference-taken")
    assert (other.json()["id"], other.json()["fields"]) == (first.json()["id"], ["received_on"])
    assert len(await service.published()) == 1


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"number": "X", "purchase_order_number": None}, ["number", "purchase_order_number"]),
        ({"supplier": {"system": "erp", "reference": "S2"}}, ["supplier"]),
        ({"due_on": "2026-03-31"}, ["due_on"]),  # the day is the same, but here it was agreed
    ],
)
async def test_what_differs_from_the_invoice_of_a_source_reference_is_named(
    service: Harness, changed: dict[str, Any], fields: list[str]
) -> None:
    await a_supplier(service)
    await a_supplier(service, "S2")
    await received(service)
    async with service.as_("erp") as erp:
        other = await erp.post("/v1/invoices", json=an_invoice() | changed)
    assert (other.status_code, other.json()["fields"]) == (409, fields)


async def test_an_invoice_of_a_supplier_that_ended_since_is_still_found(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    first = await received(service)
    await service.deliver(
        SupplierChangedV1(version=2, occurred_at=NOW, by="x", supplier_id=supplier_id, changed=["status"],
                          payment_terms_days=30, status="closed")
    )  # fmt: skip
    async with service.as_("erp") as erp:
        again = await erp.post("/v1/invoices", json=an_invoice())
    assert (again.status_code, again.json()["id"]) == (200, first["id"])


async def test_a_third_copy_is_held_though_the_second_was_released(service: Harness) -> None:
    """Rule D1: the first is cancelled, the second paid after its hold was released, and comes once more."""
    await a_supplier(service)
    first = await received(service)
    second = await received(service, reference="52")
    [hold] = (await shown(service, f"/v1/invoices/{second['id']}/holds"))["items"]
    async with service.as_("ap_manager") as manager:
        await manager.post(f"/v1/invoices/{first['id']}/cancellations", json=a_hold("entered_in_error"))
        await manager.post(f"/v1/invoices/{second['id']}/holds/{hold['id']}/releases", json=a_release())
    third = await received(service, reference="53")
    assert (third["hold_reasons"], third["duplicate_of"]) == (["duplicate_suspected"], second["id"])


@pytest.mark.parametrize("number", ["INV-0001", "inv 1", "No. 00001"])
async def test_a_number_used_before_is_held_as_a_duplicate(service: Harness, number: str) -> None:
    await a_supplier(service)
    first = await received(service)
    second = await received(service, number=number, reference="52")
    assert (second["status"], second["hold_reasons"]) == ("held", ["duplicate_suspected"])
    assert (second["duplicate_of"], second["version"]) == (first["id"], 3)
    events = await service.published(DuplicateSuspectedV1, InvoiceHeldV1)
    # A subscriber that drops what is not newer than what it saw loses neither.
    assert [(type(event), event.version) for event in events] == [(DuplicateSuspectedV1, 2), (InvoiceHeldV1, 3)]
    changes = await history_of(service, f"/v1/invoices/{second['id']}")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "received"), (2, "duplicate suspected"), (3, "held"),
    ]  # fmt: skip
    assert str(events[0].other_invoice_id) == first["id"]
    [hold] = (await shown(service, f"/v1/invoices/{second['id']}/holds"))["items"]
    assert (hold["reason"], hold["released_at"]) == ("duplicate_suspected", None)
    actions = [change["action"] for change in await history_of(service, f"/v1/invoices/{second['id']}")]
    assert actions == ["received", "duplicate suspected", "held"]


async def test_no_duplicate_where_supplier_kind_or_a_cancelled_one_differs(service: Harness) -> None:
    await a_supplier(service)
    await a_supplier(service, "S2")
    first = await received(service)
    other_supplier = await received(service, reference="52", supplier={"system": "erp", "reference": "S2"})
    credit = await received(service, reference="53", **_credit_note())
    async with service.as_("erp") as erp:
        await erp.post(f"/v1/invoices/{first['id']}/cancellations", json=a_hold("entered_in_error"))
    anew = await received(service, reference="54")
    assert [invoice["status"] for invoice in (other_supplier, credit, anew)] == ["received"] * 3
    assert credit["outstanding_pence"] == -130_500


async def test_an_invoice_of_a_held_supplier_is_held(service: Harness) -> None:
    supplier_id = await a_supplier(service)
    await service.deliver(
        SupplierHeldV1(version=2, occurred_at=NOW, by="somebody", supplier_id=supplier_id, reason="dispute")
    )
    invoice = await received(service)
    assert (invoice["status"], invoice["hold_reasons"]) == ("held", ["supplier_held"])
    [event] = await service.published(InvoiceHeldV1)
    assert event.hold_reasons == ["supplier_held"]


async def test_terms_give_the_due_date_up_to_thirty_days(service: Harness) -> None:
    await a_supplier(service, terms_days=14)
    await a_supplier(service, "S2", terms_days=60)
    short = await received(service)
    long = await received(service, reference="52", supplier={"system": "erp", "reference": "S2"})
    stated = await received(service, reference="53", number="77", due_on="2026-05-01")
    assert [invoice["due_on"] for invoice in (short, long, stated)] == ["2026-03-15", "2026-03-31", "2026-05-01"]
    assert [invoice["pay_by"] for invoice in (short, long, stated)] == ["2026-03-31", "2026-03-31", "2026-05-01"]


async def test_a_closed_supplier_sends_no_more(service: Harness) -> None:
    await a_supplier(service, status="closed")
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice())
    assert (answer.status_code, answer.json()["code"]) == (409, "supplier-closed")


def _credit_note() -> dict[str, Any]:
    return {
        "kind": "credit_note",
        "lines": [{"description": "Return", "net_pence": -110_000, "vat_rate": "20", "vat_pence": -20_500}],
        "net_pence": -110_000,
        "vat_pence": -20_500,
        "gross_pence": -130_500,
    }


_MOST = 99_999_999_999_999
_LINE = {"description": "", "net_pence": 110_000, "vat_rate": "20", "vat_pence": 20_500}

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"gross_pence": 130_501}, "sums-differ", "gross_pence"),
    ({"net_pence": 110_001, "gross_pence": 130_501}, "sums-differ", "net_pence"),
    ({"vat_pence": 1}, "sums-differ", "vat_pence"),
    ({"received_on": "2026-03-12"}, "date-in-future", "received_on"),
    ({"issued_on": "2027-03-04"}, "dates-out-of-order", "issued_on"),
    ({"issued_on": "1926-03-03"}, "malformed", "issued_on"),
    ({"due_on": "2026-02-01"}, "dates-out-of-order", "due_on"),
    ({"due_on": "2062-02-01"}, "dates-out-of-order", "due_on"),
    ({"lines": [_LINE | {"net_pence": -110_000}], "net_pence": -110_000, "gross_pence": -89_500},
     "negative-invoice", "gross_pence"),
    ({"kind": "credit_note"}, "positive-credit-note", "gross_pence"),
    ({"lines": [_LINE | {"vat_pence": 22_002}], "vat_pence": 22_002, "gross_pence": 132_002},
     "vat-beyond-rate", "lines.0.vat_pence"),
    ({"lines": [_LINE | {"vat_rate": "0"}]}, "vat-beyond-rate", "lines.0.vat_pence"),
    ({"lines": [_LINE | {"vat_pence": -20_500}], "vat_pence": -20_500, "gross_pence": 89_500},
     "vat-beyond-rate", "lines.0.vat_pence"),
    # Each line within bounds, the totals zero: no event could hold the shares.
    ({"lines": [_LINE | {"net_pence": net, "vat_pence": 0, "vat_rate": rate}
                for net, rate in ((_MOST, "20"), (_MOST, "20"), (-_MOST, "0"), (-_MOST, "0"))],
      "net_pence": 0, "vat_pence": 0, "gross_pence": 0}, "amount-too-large", "lines"),
    ({"received_on": 1_772_323_200}, "malformed", "received_on"),
    ({"received_on": "1772323200"}, "malformed", "received_on"),
    ({"received_on": "20260302"}, "malformed", "received_on"),
    ({"received_on": "9999-12-31", "due_on": "2026-03-02"}, "malformed", "received_on"),
    ({"received_on": "2100-12-31", "due_on": "2026-03-02"}, "date-in-future", "received_on"),
    ({"gross_pence": 1305.5}, "malformed", "gross_pence"),
    ({"gross_pence": "130500"}, "malformed", "gross_pence"),
    ({"gross_pence": True}, "malformed", "gross_pence"),
    ({"gross_pence": 10**15}, "malformed", "gross_pence"),
    ({"number": ""}, "malformed", "number"),
    ({"number": "A\0"}, "malformed", "number"),
    ({"number": 7}, "malformed", "number"),
    ({"issued_on": "01/03/2026"}, "malformed", "issued_on"),
    ({"issued_on": None}, "malformed", "issued_on"),
    ({"lines": []}, "malformed", "lines"),
    ({"lines": [_LINE | {"vat_rate": 20.0}]}, "malformed", "lines.0.vat_rate"),
    ({"lines": [_LINE | {"vat_rate": "120"}]}, "malformed", "lines.0.vat_rate"),
    ({"supplier": None}, "malformed", "supplier"),
    ({"supplier_id": "0195a1b2-0000-7000-8000-000000000001"}, "malformed", "supplier"),
    ({"colour": "red"}, "malformed", "colour"),
    ({"kind": "pro_forma"}, "malformed", "kind"),
]  # fmt: skip


async def test_what_cannot_be_right_names_the_field(service: Harness) -> None:
    await a_supplier(service)
    async with service.as_("erp") as erp:
        for changed, code, field in WRONG:
            answer = await erp.post("/v1/invoices", json=an_invoice() | changed)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, code), (changed, problem)
            assert field in [error["field"] for error in problem["errors"]], (changed, problem)
        missing = an_invoice()
        del missing["source"]
        answer = await erp.post("/v1/invoices", json=missing)
        assert answer.json()["errors"][0]["field"] == "source"
    assert await service.published() == []


async def test_a_reverse_charge_has_no_vat(service: Harness) -> None:
    await a_supplier(service)
    lines = [_LINE | {"vat_pence": 0}]
    invoice = await received(service, lines=lines, vat_pence=0, gross_pence=110_000)
    assert invoice["lines"][0]["vat_rate"] == "20"


async def test_an_unknown_supplier_is_refused(service: Harness) -> None:
    async with service.as_("erp") as erp:
        answer = await erp.post("/v1/invoices", json=an_invoice())
    assert (answer.status_code, answer.json()["code"]) == (404, "supplier-not-found")


async def test_who_may_not_is_told_so(service: Harness) -> None:
    async with service.client() as nobody, service.as_("auditor") as auditor:
        assert (await nobody.post("/v1/invoices", json=an_invoice())).status_code == 401
        assert (await nobody.get("/v1/invoices")).status_code == 401
        forged = await nobody.get("/v1/invoices", headers={"authorization": "Bearer a.b.c"})
        assert forged.status_code == 401
        refused = await auditor.post("/v1/invoices", json=an_invoice())
        assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["invoices:write"])
