"""Programme figures that do not hide: late and early apart, winnable and lost as at a day, by sector and department."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from council_common.contracts.fields import SourceReference
from council_common.contracts.suppliers import SupplierChangedV1, SupplierRegisteredV1
from council_common.ids import new_id
from council_common.testing.harness import NOW

RECEIVED = date(2026, 3, 2)
PERIOD = {"from": "2026-03-01", "to": "2026-04-30", "as_at": "2026-04-30"}


async def figures(story: Any, **asked: str) -> dict[str, Any]:
    async with story.service.as_("auditor") as client:
        answer = await client.get("/v1/programme-kpis", params=PERIOD | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def some_paid_early_and_some_late(story: Any) -> None:
    """£12.00 on the target day, 60p a day: two five days early, one ten days late, one after its term, one disputed."""
    await story.happens(story.agreed())
    for day in (5, 5, 20, 31):
        await story.happens(story.paid(day=day, invoice_id=new_id(), department="highways" if day > 5 else "parks"))
    await story.happens(story.paid(day=10, invoice_id=new_id(), disputed=True))


async def test_money_lost_by_late_payment_and_gained_by_early_payment_stand_apart(story: Any) -> None:
    await some_paid_early_and_some_late(story)
    total = (await figures(story))["total"]
    assert (total["gained_early_count"], total["gained_early_pence"]) == (2, 2 * 300)
    assert (total["late_count"], total["late_pence"]) == (1, 600)
    assert (total["lost_by_late_payment_count"], total["lost_by_late_payment_pence"]) == (2, 600 + 1_200)
    assert (total["missed_pence"], total["lost_pence"]) == (2_400, 600 + 2_400)
    # What netting would have shown: nothing gained and nothing lost.
    assert total["gained_early_pence"] - total["late_pence"] == 0
    assert not {name for name in total if "effect" in name or "net" in name}
    assert total["earned_pence"] == (
        total["expected_pence"] - total["missed_pence"] - total["late_pence"] + total["gained_early_pence"]
    )


async def test_as_at_a_day_what_is_winnable_and_what_is_lost(story: Any) -> None:
    """Received 2 March: target day the 12th, term over on 1 April. Paid on the 22nd, 20 days after receipt."""
    await story.happens(story.agreed(), story.received(), story.paid(day=20))
    other = story.received(invoice_id=new_id(), received_on=RECEIVED + timedelta(days=30))
    await story.happens(other)
    for as_at, winnable, ebbed, over, earned in (
        ("2026-03-01", 0, 0, 0, 0),
        ("2026-03-02", 1_800, 0, 0, 0),
        ("2026-03-12", 1_200, 0, 0, 0),
        ("2026-03-17", 900, 300, 0, 0),
        ("2026-03-21", 660, 540, 0, 0),
        ("2026-03-22", 0, 0, 0, 600),
        ("2026-04-01", 1_800, 0, 0, 600),
        ("2026-04-30", 60, 1_140, 0, 600),
        ("2026-05-01", 0, 0, 1_200, 600),
    ):
        found = await figures(story, as_at=as_at)
        total = found["total"]
        assert found["as_at"] == as_at
        shown = (total["winnable_pence"], total["ebbed_pence"], total["term_over_pence"], total["earned_pence"])
        assert shown == (winnable, ebbed, over, earned), as_at
        assert total["lost_pence"] == ebbed + over + (600 if earned else 0)
    async with story.service.as_("auditor") as client:
        today = (await client.get("/v1/programme-kpis", params={"from": "2026-03-01", "to": "2026-04-30"})).json()
    assert (today["as_at"], today["total"]["winnable_pence"]) == (str(NOW.date()), 1_260)


async def test_by_cause_department_and_sector(story: Any) -> None:
    await some_paid_early_and_some_late(story)
    registered = SupplierRegisteredV1(
        version=1,
        occurred_at=NOW,
        by="erp",
        supplier_id=story.supplier_id,
        source=SourceReference(system="erp", reference="S1"),
        market_sector="construction",
        payment_terms_days=30,
        status="active",
    )
    changed = SupplierChangedV1(
        version=2,
        occurred_at=NOW,
        by="erp",
        supplier_id=story.supplier_id,
        changed=["market_sector"],
        market_sector="social_care",
        payment_terms_days=30,
        status="active",
    )
    await story.happens(story.received(invoice_id=new_id(), department="parks"))
    by = {
        name: {item["bucket"]: item for item in (await figures(story, by=name))["items"]}
        for name in ("cause", "department")
    }
    assert {bucket: item["paid_count"] for bucket, item in by["cause"].items()} == {
        "in_time": 2,
        "after_target_day": 1,
        "late_payment": 1,
        "disputed": 1,
        "term_over": 0,
    }
    assert by["cause"]["late_payment"]["missed_pence"] == 1_200
    assert {bucket: item["lost_pence"] for bucket, item in by["department"].items()} == {
        "parks": 1_200,
        "highways": 1_800,
        "": 1_200,
    }
    assert by["department"]["parks"]["term_over_count"] == 1
    in_march = (await figures(story, by="cause", as_at="2026-03-20"))["items"]
    assert {item["bucket"]: item["open_count"] for item in in_march if item["open_count"]} == {
        "open_after_target_day": 3
    }
    for event, sector in ((registered, "construction"), (changed, "social_care"), (registered, "social_care")):
        await story.service.deliver(event)
        found = await figures(story, by="sector")
        assert [item["bucket"] for item in found["items"]] == [sector]
    assert found["items"][0] | {"bucket": ""} == found["total"]


async def test_freepay_is_an_agreement_that_earns_nothing_and_loses_nothing(story: Any) -> None:
    await story.happens(story.agreed(reference_rate_percent="0"), story.received(), story.paid(day=8))
    [rebate] = await story.rebates()
    assert (rebate["status"], rebate["rebate_pence"], rebate["variance_pence"]) == ("earned", 0, 0)
    await story.happens(story.paid(day=35, invoice_id=new_id()))
    total = (await figures(story))["total"]
    assert (total["paid_count"], total["earned_pence"], total["lost_pence"], total["mean_days"]) == (2, 0, 0, "21.50")


async def test_terms_past_the_statutory_due_date_warn_when_they_are_made(story: Any) -> None:
    """Procurement Act 2023 s68(2): a rebate for day 30 and later is one for a late payment."""
    terms = {
        "reference_rate_percent": "1.00",
        "target_day": 10,
        "clock_start": "received",
        "clock_end": "run_date",
        "rebate_base": "net",
        "vat_mode": "reduce_net_and_vat",
        "collection": "deduct_at_source",
        "effective_from": "2026-01-01",
    }
    async with story.service.as_("early_payment_coordinator") as client:
        for term_days, warnings in ((30, []), (31, ["term_past_statutory_due_date"])):
            body = terms | {"supplier_id": str(new_id()), "term_days": term_days}
            made = await client.post("/v1/agreements", json=body)
            assert (made.status_code, made.json()["warnings"]) == (201, warnings)
        history = (await client.get(f"/v1/agreements/{made.json()['id']}/history")).json()["items"]
        shorter = await client.post(
            f"/v1/agreements/{made.json()['id']}/versions",
            json=terms | {"term_days": 30, "effective_from": "2026-05-01"},
            headers={"if-match": made.headers["etag"]},
        )
    assert history[0]["detail"]["warnings"] == ["term_past_statutory_due_date"]
    assert shorter.json()["warnings"] == []


async def test_rebates_are_found_by_invoice_target_day_and_worth(story: Any, share: Any) -> None:
    await story.happens(story.agreed())
    for place, (net, later) in enumerate(((30_000, 0), (10_000, 2), (20_000, 1))):
        received_on = RECEIVED + timedelta(days=later)
        await story.happens(
            story.received(
                invoice_id=new_id(),
                number=f"N{place}",
                received_on=received_on,
                vat_shares=[share(net)],
                department="parks",
            )
        )
    await story.happens(story.paid(day=10, deducted=1, number="N9", invoice_id=new_id()))

    async def numbers(**asked: str) -> list[str]:
        return [rebate["invoice_number"] for rebate in await story.rebates(**asked)]

    assert await numbers(status="expected", sort="target_on") == ["N0", "N2", "N1"]
    assert await numbers(status="expected", sort="-expected_pence") == ["N0", "N2", "N1"]
    assert await numbers(target_from="2026-03-13", target_to="2026-03-13") == ["N2"]
    assert await numbers(expected_pence_from="240", expected_pence_to="360", sort="expected_pence") == ["N2", "N0"]
    assert (await numbers(invoice_number="N1"), len(await numbers(department="parks"))) == (["N1"], 3)
    [variance] = await story.variances(invoice_number="N9")
    assert [one["id"] for one in await story.variances(invoice_id=variance["invoice_id"])] == [variance["id"]]
    assert await story.variances(invoice_number="N1") == []
