"""What happens when two do the same at once: real connections, real commits."""

import asyncio
from datetime import date

from council_common.contracts.debts import ReceivableRaisedV1

DUE = date(2026, 3, 5)


async def test_racing_receipts_never_over_allocate(racing_office) -> None:
    office = racing_office
    customer = await office.customer()
    debts = [await office.receivable(customer, 100_00, due_on=DUE) for _ in range(2)]
    named = [
        office.receipt_body(30_00, allocations=[{"receivable_id": debts[n % 2]["id"], "amount_pence": 30_00}])
        for n in range(10)
    ]
    by_rule = [office.receipt_body(30_00, customer_id=customer["id"]) for _ in range(4)]
    answers = await asyncio.gather(*(office.erp.post("/v1/receipts", json=each) for each in [*named, *by_rule]))
    assert {answer.status_code for answer in answers} <= {201, 409}
    for debt in debts:
        now = await office.ask(f"receivables/{debt['id']}")
        assert 0 <= now["outstanding_pence"] <= 10_00
    await office.books_agree()


async def test_racing_posts_of_one_source_make_one_receivable(racing_office) -> None:
    office = racing_office
    body = office.receivable_body(await office.customer(), 10_00, due_on=DUE)
    answers = await asyncio.gather(*(office.erp.post("/v1/receivables", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len(await office.service.published(ReceivableRaisedV1)) == 1
    await office.books_agree()


async def test_racing_proposals_and_approvals(racing_office) -> None:
    office = racing_office
    customer = await office.customer()
    for _ in range(5):
        await office.receivable(customer, 10_00, due_on=date(2026, 2, 20))
    runs = await asyncio.gather(*(office.propose(date(2026, 3, 11)) for _ in range(3)))
    assert sum(run["found"]["proposed"] for run in runs) == 5
    run = max(runs, key=lambda each: each["found"]["proposed"])
    hold = {"customer_id": customer["id"], "kind": "deceased", "reason": "x", "owner": "x", "review_on": "2026-04-01"}
    path = f"/v1/dunning-runs/{run['id']}/approvals"
    answers = await asyncio.gather(
        office.officer.post(path), office.officer.post(path), office.officer.post("/v1/holds", json=hold)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409]
    outcome = (await office.ask(f"dunning-runs/{run['id']}"))["outcome"]
    assert outcome["issued"] + sum(outcome["dropped"].values()) == 5
    assert len(await office.notices()) == outcome["issued"]
