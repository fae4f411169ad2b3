"""Two callers at once: real connections, real commits."""

import asyncio
from datetime import date
from uuid import UUID

from council_common.contracts.debts import ReceivableRaisedV1
from council_common.contracts.notifications import MessageFailedV1, MessageSentV1
from debt_service.cash.receipts.store import name_customers
from debt_service.ledger.receivables.store import lock_open_item
from sqlalchemy import text

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
    answers = await asyncio.gather(*(office.erp.post("/v1/receipts", json=body) for body in [*named, *by_rule]))
    assert {answer.status_code for answer in answers} <= {201, 409}
    for debt in debts:
        now = await office.get(f"receivables/{debt['id']}")
        assert 0 <= now["outstanding_pence"] <= 10_00
    await office.check_books()


async def test_racing_posts_of_one_source_make_one_receivable(racing_office) -> None:
    office = racing_office
    body = office.receivable_body(await office.customer(), 10_00, due_on=DUE)
    answers = await asyncio.gather(*(office.erp.post("/v1/receivables", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len(await office.service.published(ReceivableRaisedV1)) == 1
    await office.check_books()


async def test_racing_proposals_and_approvals(racing_office) -> None:
    office = racing_office
    customer = await office.customer()
    for _ in range(5):
        await office.receivable(customer, 10_00, due_on=date(2026, 2, 20))
    runs = await asyncio.gather(*(office.propose(date(2026, 3, 11)) for _ in range(3)))
    assert sum(run["found"]["proposed"] for run in runs) == 5
    run = max(runs, key=lambda run: run["found"]["proposed"])
    hold = office.hold_body(customer_id=customer["id"], reason="deceased")
    path = f"/v1/dunning-runs/{run['id']}/approvals"
    answers = await asyncio.gather(office.officer.post(path), office.officer.post(path))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    held, *_ = await asyncio.gather(office.officer.post("/v1/holds", json=hold), office.issue())
    assert held.status_code == 201
    outcome = (await office.get(f"dunning-runs/{run['id']}"))["outcome"]
    assert outcome["issued"] + sum(outcome["dropped"].values()) == 5
    assert len(await office.notices()) == outcome["issued"]


async def test_a_hold_on_a_customer_while_its_money_is_recorded(racing_office) -> None:
    """The bank file has a debt locked and is about to name its customer; the hold has the customer and wants the debt.

    Were the customer's row locked against its very key, one of the two would be killed as a deadlock.
    """
    office = racing_office
    customer = await office.customer()
    debt = await office.receivable(customer, 10_00, due_on=DUE)
    suspense = await office.receipt(10_00)
    async with office.service.runtime.sessions.begin() as session:
        await lock_open_item(session, UUID(debt["id"]))
        placing = asyncio.create_task(office.hold(customer_id=customer["id"]))
        await _until_one_waits(office)
        await name_customers(session, {UUID(suspense["id"]): UUID(customer["id"])})
    assert (await placing)["customer_id"] == customer["id"]
    assert (await office.get(f"receivables/{debt['id']}"))["on_hold"]


async def test_a_batch_of_messages_while_a_bank_file_is_recorded(racing_office) -> None:
    """The bank file has the first debt and wants the second; the batch reports the second's notice before the first's.

    Were the batch to lock debt after debt, one of the two would be killed as a deadlock.
    """
    office = racing_office
    customer = await office.customer()
    debts = [await office.receivable(customer, 10_00, due_on=date(2026, 2, 20)) for _ in range(2)]
    first, second = sorted(UUID(debt["id"]) for debt in debts)
    await office.approve(await office.propose(date(2026, 3, 11)))
    notice_of = {UUID(notice["receivable_id"]): notice["id"] for notice in await office.notices()}
    batch = [
        office.message(MessageSentV1, notice_of[second]),
        office.message(MessageFailedV1, notice_of[first], reason="on_hold", was_sent=False),
    ]
    async with office.service.runtime.sessions.begin() as session:
        await lock_open_item(session, first)
        delivery = asyncio.create_task(office.service.deliver(*batch))
        await _until_one_waits(office)
        await lock_open_item(session, second)
    await delivery
    assert {notice["delivery_status"] for notice in await office.notices()} == {"sent", "failed"}


async def _until_one_waits(office) -> None:
    """Return when a connection of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE NOT granted AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while True:
            async with office.service.runtime.sessions() as session:
                if await session.scalar(waiting):
                    return
            await asyncio.sleep(0.01)


async def test_racing_reversals_of_one_allocation_end_it_once(racing_office) -> None:
    """Beside the bank's return of the same receipt: the debt is owed again once, and the books agree."""
    office = racing_office
    debt = await office.receivable(await office.customer(), 100_00, due_on=DUE)
    receipt = await office.receipt(100_00, payer_reference=debt["number"])
    path = f"/v1/receipts/{receipt['id']}"
    one = f"{path}/allocations/{receipt['allocations'][0]['id']}/reversals"
    wrong = {"reason": "wrong_debt", "note": "meant otherwise"}
    answers = await asyncio.gather(
        *(office.officer.post(one, json=wrong) for _ in range(3)),
        office.officer.post(f"{path}/reversals", json={"reason": "refer_to_payer"}),
    )
    assert {answer.status_code for answer in answers[:3]} <= {200, 201, 409}
    assert answers[3].status_code == 201
    assert (await office.get(f"receivables/{debt['id']}"))["outstanding_pence"] == 100_00
    await office.check_books()


async def test_racing_corrections_raise_one_charge_and_lose_no_money(racing_office) -> None:
    """While money for the wrong charge comes in: it moves, or it waits for an officer."""
    office = racing_office
    customer = await office.customer()
    wrong = await office.receivable(customer, 100_00, due_on=DUE)
    await office.receipt(30_00, payer_reference=wrong["number"])
    line = {"description": "Trade waste", "net_pence": 80_00, "vat_rate": "0", "vat_pence": 0}
    charge = {"source": {"system": "erp", "reference": "NEW"}, "number": "R9000001", "lines": [line]}
    body = {"reason": "wrong_amount", "note": "the rate of 2026", "receivable": {**charge, "gross_pence": 80_00}}
    receipts = [office.receipt_body(5_00, payer_reference=wrong["number"]) for _ in range(4)]
    answers = await asyncio.gather(
        *(office.officer.post(f"/v1/receivables/{wrong['id']}/corrections", json=body) for _ in range(3)),
        *(office.erp.post("/v1/receipts", json=receipt) for receipt in receipts),
    )
    assert [answer.status_code for answer in answers[3:]] == [201] * 4
    corrected = [answer.status_code for answer in answers[:3]]
    assert set(corrected) <= {200, 201, 409}
    if 201 not in corrected:
        await office.post(f"receivables/{wrong['id']}/corrections", body)
    [new] = (await office.get("receivables", replaces_id=wrong["id"]))["items"]
    left = sum(receipt["unallocated_pence"] for receipt in (await office.get("receipts"))["items"])
    assert new["outstanding_pence"] == 80_00 - (50_00 - left)
    await office.check_books()
