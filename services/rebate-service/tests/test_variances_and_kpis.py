"""Variances are resolved by their owner; the programme's figures hold to the penny."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from council_common.contracts.rebates import RebateVarianceResolvedV1
from council_common.ids import new_id
from council_common.testing.harness import Harness
from hypothesis import given
from hypothesis import strategies as st
from rebate_service.agreements.rules import ClockEnd, ClockStart, Collection, RebateBase, Terms, VatMode
from rebate_service.programme_kpis.rules import Tally, fold, mean_days, percentile
from rebate_service.rebates.linear import AmountAtVatRate
from rebate_service.rebates.rules import PaymentFacts, assess
from sqlalchemy import text


async def test_the_coordinator_resolves_a_variance(story: Any) -> None:
    await story.happens(story.agreed(), story.paid(day=10, deducted=1_000))
    [variance] = await story.variances(cause="under_deducted", status="open")
    url = f"/v1/rebate-variances/{variance['id']}"
    resolution = {"resolution": "wrong_day_used", "note": "Run of 11 March went out a day late."}
    async with story.service.as_("auditor") as auditor:
        assert (await auditor.post(f"{url}/resolutions", json=resolution)).status_code == 403
    async with story.service.as_("early_payment_coordinator") as client:
        refused = await client.post(f"{url}/resolutions", json={"resolution": "payment_returned"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "resolution")
        unkept = await client.post(f"{url}/resolutions", json=resolution | {"note": "late\x00"})
        assert (unkept.status_code, unkept.json()["errors"][0]["field"]) == (422, "note")
        resolved = await client.post(f"{url}/resolutions", json=resolution)
        assert resolved.status_code == 201, resolved.text
        assert (resolved.headers["location"], resolved.headers["etag"]) == (url, '"2"')
        again = await client.post(f"{url}/resolutions", json=resolution)
        assert (again.status_code, again.json()["code"]) == (409, "illegal-move")
        shown = (await client.get(url)).json()
        history = (await client.get(f"{url}/history")).json()["items"]
        missing = await client.get(f"/v1/rebate-variances/{new_id()}")
    assert (shown["status"], shown["resolution"]) == ("resolved", "wrong_day_used")
    assert shown["resolved_by_name"] == "early_payment_coordinator"
    assert [(change["action"], change["reason"], change["detail"]) for change in history] == [
        ("found", "under_deducted", {}),
        ("resolved", "wrong_day_used", {"note": resolution["note"]}),
    ]
    assert missing.status_code == 404
    [event] = await story.service.published(RebateVarianceResolvedV1)
    # The rebate was version 1 when it was earned, 2 when the variance was found: this is the next fact about it.
    assert (event.resolution, event.difference_pence, event.version) == ("wrong_day_used", -200, 3)


async def test_a_resolution_takes_the_rebate_before_its_variance(
    racing_service: Harness, make_story: Any, a_session_waits: Any
) -> None:
    """A reversal locks a rebate and then its variance: no transaction may lock them the other way round."""
    story = make_story(racing_service)
    await story.happens(story.agreed(), story.paid(day=10, deducted=1_000))
    [variance] = await story.variances()
    async with racing_service.runtime.sessions() as session, racing_service.as_("early_payment_coordinator") as client:
        async with session.begin():
            rebate_id = {"id": variance["rebate_id"]}
            await session.execute(text("SELECT FROM rebate WHERE id = :id FOR UPDATE"), rebate_id)
            url = f"/v1/rebate-variances/{variance['id']}/resolutions"
            resolving = asyncio.create_task(client.post(url, json={"resolution": "waived"}))
            await a_session_waits(racing_service)
            await session.execute(
                text("SELECT FROM rebate_variance WHERE rebate_id = :id FOR UPDATE NOWAIT"), rebate_id
            )
        assert (await resolving).status_code == 201


async def test_the_programme_in_figures(story: Any) -> None:
    other = new_id()
    await story.happens(story.agreed(), story.agreed(supplier_id=other, collection="claim"))
    cases = [(5, 1_500, story.supplier_id), (10, 1_200, story.supplier_id), (15, 800, story.supplier_id)]
    cases += [(31, 0, story.supplier_id), (40, 0, other), (10, 0, other)]
    for day, deducted, supplier_id in cases:
        await story.happens(
            story.paid(day=day, deducted=deducted, invoice_id=new_id(), supplier_id=supplier_id),
        )
    await story.happens(story.received(invoice_id=new_id()))
    returned = story.paid(day=1, deducted=1_740, invoice_id=new_id())
    await story.happens(returned, story.returned(returned))

    async with story.service.as_("auditor") as client:
        period = {"from": "2026-03-01", "to": "2026-04-30", "as_at": "2026-04-30"}
        by_month = (await client.get("/v1/programme-kpis", params=period | {"by": "month"})).json()
        by_supplier = (await client.get("/v1/programme-kpis", params=period | {"by": "supplier", "limit": 1})).json()
        params = period | {"by": "supplier", "cursor": by_supplier["next"]}
        second = (await client.get("/v1/programme-kpis", params=params)).json()
        bad = await client.get("/v1/programme-kpis", params={"from": "2026-04-01", "to": "2026-03-01"})
    total = by_month["total"]
    assert (total["paid_count"], total["earned_count"], total["missed_count"], total["open_count"]) == (6, 4, 2, 0)
    assert (total["term_over_count"], total["term_over_pence"]) == (2, 2 * 1_200)
    assert total["expected_pence"] == 6 * 1_200
    assert total["earned_pence"] == 1_500 + 1_200 + 900 + 1_200
    assert total["missed_pence"] == 2_400
    assert (total["gained_early_pence"], total["late_pence"]) == (300, 300)
    expected = total["expected_pence"] - total["missed_pence"] + total["gained_early_pence"] - total["late_pence"]
    assert total["earned_pence"] == expected
    assert (total["variance_pence"], total["to_claim_pence"]) == (-100, 1_200)
    assert total["deducted_pence"] + total["to_claim_pence"] == total["earned_pence"] + total["variance_pence"]
    assert (total["mean_days"], total["median_days"], total["p90_days"]) == ("18.50", 10, 40)
    assert (total["on_target_count"], total["on_target_percent"]) == (3, "50.00")
    assert [item["bucket"] for item in by_month["items"]] == ["2026-03", "2026-04"]
    assert by_month["from"] == "2026-03-01"
    for name in ("paid_count", "earned_pence", "deducted_pence", "term_over_pence", "variance_pence"):
        assert sum(item[name] for item in by_month["items"]) == total[name]
        assert sum(item[name] for item in by_supplier["items"] + second["items"]) == total[name]
    assert (len(by_supplier["items"]), second["next"]) == (1, None)
    assert (bad.status_code, bad.json()["code"]) == (422, "dates-out-of-order")


# £1,000.00 + 20 % under 1.00 % at day 10 of 30: 60p for each day before the term, £12.00 on the target day.
AMOUNTS = [AmountAtVatRate(vat_rate=Decimal(20), net_pence=100_000, vat_pence=20_000)]
RECEIVED = date(2026, 3, 2)


def a_tally(day: int, deducted: int, collection: Collection) -> Tally:
    """One payment as the database would count it."""
    clocks, money = (ClockStart.RECEIVED, ClockEnd.RUN_DATE), (RebateBase.NET, VatMode.REDUCE_NET_AND_VAT)
    terms = Terms(Decimal("1.00"), 10, 30, *clocks, *money, collection)
    paid = PaymentFacts(
        remitted_on=RECEIVED + timedelta(days=day), arrives_on=None, deducted_pence=deducted, disputed=False
    )
    of = assess(AMOUNTS, terms, received_on=RECEIVED, payment=paid)
    return Tally(
        bucket="",
        status=of.status,
        elapsed_days=of.elapsed_days,
        on_target=day <= 10,
        rebates=1,
        base_pence=of.base_pence,
        expected_pence=of.expected_pence,
        rebate_pence=of.rebate_pence,
        deducted_pence=deducted,
        variance_pence=of.variance_pence,
        cause=of.cause,
        early_pence=0 if of.cause else max(0, of.rebate_pence - of.expected_pence),
        late_pence=0 if of.cause else max(0, of.expected_pence - of.rebate_pence),
    )


payments = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([0, 600, 1_200]), st.sampled_from(Collection)), min_size=1
)


@given(payments)
def test_sums_hold_to_the_penny(paid: list[tuple[int, int, Collection]]) -> None:
    [figures] = fold([a_tally(*payment) for payment in paid]).values()
    # Counted payment by payment, without a sum of the report.
    earned = [60 * max(0, 30 - day) for day, _, _ in paid]
    claimed = [collection is Collection.CLAIM and not deducted for _, deducted, collection in paid]
    assert figures.earned_pence == sum(earned)
    assert figures.to_claim_pence == sum(pence for pence, claim in zip(earned, claimed, strict=True) if claim)
    assert figures.variance_pence == sum(
        deducted - pence for (_, deducted, _), pence, claim in zip(paid, earned, claimed, strict=True) if not claim
    )
    assert figures.missed_pence == 1_200 * sum(day >= 30 for day, _, _ in paid)
    assert figures.gained_early_pence == sum(60 * (10 - day) for day, _, _ in paid if day < 10)
    assert figures.late_pence == sum(60 * (day - 10) for day, _, _ in paid if 10 < day < 30)
    # The two sums the report promises.
    expected = figures.expected_pence - figures.missed_pence + figures.gained_early_pence - figures.late_pence
    assert figures.earned_pence == expected
    assert figures.deducted_pence + figures.to_claim_pence == figures.earned_pence + figures.variance_pence


@given(st.dictionaries(st.integers(0, 60), st.integers(1, 9), min_size=1), st.integers(1, 100))
def test_percentile_is_the_nearest_rank(days: dict[int, int], percent: int) -> None:
    ordered = sorted(day for day, count in days.items() for _ in range(count))
    assert percentile(days, percent) == ordered[-(-len(ordered) * percent // 100) - 1]
    hundredths = Fraction(100 * sum(ordered), len(ordered))
    assert mean_days(days) == Decimal(int(hundredths + Fraction(1, 2))) / 100


def test_no_payments_no_days() -> None:
    assert (percentile({}, 50), mean_days({}), fold([])) == (None, None, {})
