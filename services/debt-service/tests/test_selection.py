"""The rule of the next notice, and the statements that restate it held against it on generated debts."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from council_common.clock import LONDON
from council_common.ids import new_id
from debt_service.arrangements.holds.rules import in_force
from debt_service.arrangements.holds.tables import Hold
from debt_service.cash.receipts.tables import Receipt
from debt_service.ledger.customers.rules import unreachable_by
from debt_service.ledger.customers.tables import Customer
from debt_service.ledger.receivables.rules import ReceivableStatus
from debt_service.ledger.receivables.tables import Receivable
from debt_service.recovery.dunning_procedures.rules import Ladder, Level, LevelChannel, applying
from debt_service.recovery.dunning_runs.notice_store import facts_of
from debt_service.recovery.dunning_runs.rules import COUNTED_ONLY, DeliveryStatus, DunningFacts, RunStatus, next_step
from debt_service.recovery.dunning_runs.selection import RunScope, propose_items
from debt_service.recovery.dunning_runs.tables import DunningNotice, DunningRun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

AS_AT = date(2026, 3, 11)
DEPARTMENTS = count(1)


def a_level(
    number: int, days: int, interval: int = 0, minimum: int = 1, channel: LevelChannel = LevelChannel.PREFERRED
) -> Level:
    return Level(number, days, interval, "reminder", channel, minimum, False)


def a_ladder(*levels: Level, **values: Any) -> Ladder:
    fields = {"debt_type": None, "customer_kind": None, "effective_from": date(2000, 1, 1), **values}
    return Ladder(id=new_id(), levels=levels, **fields)


LADDER = a_ladder(a_level(1, 1), a_level(2, 8, 7), a_level(3, 15, 7, 10_00))
DAY = timedelta(days=1)
FAILED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "level", "reason"),
    [
        (DunningFacts(100, AS_AT), 1, "not_due_yet"),  # due today: still time to pay
        (DunningFacts(100, AS_AT - DAY), 1, None),
        (DunningFacts(100, AS_AT - 400 * DAY), 1, None),  # D24: a year late, one level
        (DunningFacts(100, AS_AT - 8 * DAY, 1, AS_AT - 7 * DAY), 2, None),
        (DunningFacts(100, AS_AT - 8 * DAY, 1, AS_AT - 6 * DAY), 2, "interval_not_elapsed"),
        (
            DunningFacts(100, AS_AT - 20 * DAY, 1, AS_AT - 9 * DAY, AS_AT - 6 * DAY),
            2,
            "interval_not_elapsed",
        ),  # left later
        # It left after the day: no letter, but in a replay, as at a day before the debt was known here.
        (DunningFacts(100, AS_AT - 20 * DAY, 1, AS_AT - 9 * DAY, AS_AT + DAY), 2, "interval_not_elapsed"),
        (DunningFacts(100, AS_AT - 20 * DAY, 1, AS_AT - 9 * DAY, AS_AT + DAY, recorded_on=AS_AT + DAY), 2, None),
        # The final notice of 6 days ago never left; one of a week ago may be issued again, the reminder a day later.
        (DunningFacts(100, AS_AT - 20 * DAY, 1, AS_AT - 9 * DAY, unsent_on=AS_AT - 6 * DAY), 2, "interval_not_elapsed"),
        (DunningFacts(100, AS_AT - 20 * DAY, 1, AS_AT - 9 * DAY, unsent_on=AS_AT - 7 * DAY), 2, None),
        (DunningFacts(100, AS_AT - 20 * DAY, unsent_on=AS_AT), 1, "interval_not_elapsed"),
        (DunningFacts(100, AS_AT - 20 * DAY, unsent_on=AS_AT - DAY), 1, None),
        (DunningFacts(100, AS_AT - 20 * DAY, unreachable_by=frozenset({"preferred"})), 1, "undeliverable"),
        (DunningFacts(100, AS_AT - 20 * DAY, unreachable_by=frozenset({"email"})), 1, None),
        (DunningFacts(0, AS_AT - 60 * DAY, 1, AS_AT - 50 * DAY, status=ReceivableStatus.SETTLED), None, "settled"),
        (DunningFacts(0, AS_AT - 60 * DAY, status=ReceivableStatus.CANCELLED), None, "cancelled"),
        (DunningFacts(100, AS_AT - 8 * DAY, 1, AS_AT - 7 * DAY, notice_under_way=True), 2, "previous_not_delivered"),
        (DunningFacts(9_99, AS_AT - 20 * DAY, 2, AS_AT - 9 * DAY), 3, "below_minimum"),
        (DunningFacts(300_00, AS_AT - 20 * DAY, on_account_pence=300_00), 1, "money_on_account"),
        (DunningFacts(300_00, AS_AT - 20 * DAY, on_account_pence=299_99), 1, None),
        (DunningFacts(100, AS_AT - 20 * DAY, hold_reason="dispute"), 1, "on_hold:dispute"),
        (DunningFacts(100, AS_AT - 20 * DAY, suppressed=True), 1, "customer_suppressed"),
        (DunningFacts(100, AS_AT - 20 * DAY, in_another_proposal=True), 1, "in_another_proposal"),
        (DunningFacts(100, AS_AT - 99 * DAY, 3, AS_AT - 50 * DAY), None, "top_level_reached"),
    ],
)
def test_next_step(facts: DunningFacts, level: int | None, reason: str | None) -> None:
    step = next_step(facts, LADDER, as_at=AS_AT)
    assert (step.level.level if step.level else None, step.reason) == (level, reason)


@pytest.mark.parametrize(("day", "reason"), [(14, "interval_not_elapsed"), (15, None)])
def test_sap_interval(day: int, reason: str | None) -> None:
    """SAP F150 (learning.sap.com): last notice 1 March, interval 14 days: a run on 14 March skips, 15 March selects."""
    ladder = a_ladder(a_level(1, 1), a_level(2, 2, 14))
    sent = date(2026, 3, 1)
    facts = DunningFacts(100, date(2026, 2, 1), 1, sent, sent)
    assert next_step(facts, ladder, as_at=date(2026, 3, day)).reason == reason


def test_the_nearest_and_newest_ladder_applies() -> None:
    general, newer = a_ladder(a_level(1, 1)), a_ladder(a_level(1, 2), effective_from=date(2026, 3, 1))
    later = a_ladder(a_level(1, 3), effective_from=date(2026, 4, 1))
    for_rent = a_ladder(a_level(1, 4), debt_type="rent")
    for_people = a_ladder(a_level(1, 5), customer_kind="individual", effective_from=date(2026, 3, 2))
    ladders = [general, newer, later, for_rent, for_people]
    for debt_type, kind, expected in (
        ("sundry", "business", newer),
        ("rent", "individual", for_rent),
        ("sundry", "individual", for_people),
    ):
        assert applying(ladders, debt_type=debt_type, customer_kind=kind, as_at=AS_AT) is expected
        assert applying(reversed(ladders), debt_type=debt_type, customer_kind=kind, as_at=AS_AT) is expected


debts = st.fixed_dictionaries(
    {
        "late": st.integers(1, 40),
        "outstanding": st.sampled_from([1, 4_99, 5_00, 10_00, 99_99]),
        "level": st.integers(0, 3),
        "since_last": st.integers(0, 20),
        "sent": st.sampled_from([None, 0, 2, 5, 300]),  # days after the day it is dated
        "hold": st.sampled_from([None, None, None, "dispute", "deceased"]),
        "hold_ended": st.integers(0, 1),  # days ago
        "hold_on_customer": st.booleans(),
        "suppressed": st.sampled_from([False, False, False, True]),
        "under_way": st.sampled_from([False, False, True]),
        "recorded": st.sampled_from([-50, 0, 1]),  # days after the day of the run
        "unsent": st.sampled_from([None, None, 0, 1, 5]),  # days ago
        "unsent_level": st.integers(1, 3),
        "failed": st.sets(st.sampled_from(["email", "letter"])),
        "has_email": st.booleans(),
        "preferred": st.sampled_from(["email", "letter"]),
        "held": st.sampled_from([None, None, 1, 5_00, 50_00]),
        "debt_type": st.sampled_from(["sundry", "rent"]),
        "kind": st.sampled_from(["individual", "business"]),
    }
)
ladders = st.lists(
    st.builds(
        lambda days, intervals, minimum, channel, debt_type, kind: a_ladder(
            *(
                a_level(number, late, interval, minimum, channel)
                for number, (late, interval) in enumerate(zip(sorted(days), intervals, strict=False), start=1)
            ),
            debt_type=debt_type,
            customer_kind=kind,
        ),
        st.sets(st.integers(1, 30), min_size=1, max_size=3),
        st.lists(st.integers(0, 10), min_size=3, max_size=3),
        st.sampled_from([1, 5_00]),
        st.sampled_from(LevelChannel),
        st.sampled_from([None, "rent"]),
        st.sampled_from([None, "individual"]),
    ),
    max_size=3,
    unique_by=lambda ladder: (ladder.debt_type, ladder.customer_kind),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(book=st.lists(debts, min_size=1, max_size=12), choice=ladders)
async def test_the_statements_restate_the_rule(service, book: list[dict[str, Any]], choice: list[Ladder]) -> None:
    department = f"test {next(DEPARTMENTS)}"
    async with service.runtime.sessions.begin() as session:
        expected = {}
        for debt in book:
            receivable_id = await _insert(session, debt, department)
            ladder = applying(choice, debt_type=debt["debt_type"], customer_kind=debt["kind"], as_at=AS_AT)
            expected[receivable_id] = next_step(_facts(debt), ladder, as_at=AS_AT)
            facts_of_one = await facts_of(session, receivable_id, as_at=AS_AT)
            assert facts_of_one == (_facts(debt), debt["debt_type"], debt["kind"])
        run_id = new_id()
        found = await propose_items(session, run_id, choice, RunScope(department), as_at=AS_AT)
        rows = await session.execute(
            text("SELECT receivable_id, level, reason FROM dunning_item WHERE run_id = :run"), {"run": run_id}
        )
        kept = {row.receivable_id: (row.level, row.reason) for row in rows}
    wanted = {
        receivable_id: (step.level.level, step.reason)
        for receivable_id, step in expected.items()
        if step.level is not None and step.reason not in COUNTED_ONLY
    }
    assert kept == wanted
    async with service.runtime.sessions.begin() as session:
        rows = await session.execute(
            text("SELECT reason, unnest(receivable_ids) AS id FROM dunning_passed_over WHERE run_id = :run"),
            {"run": run_id},
        )
        passed_over = {row.id: row.reason for row in rows}
    assert passed_over == {
        receivable_id: step.reason for receivable_id, step in expected.items() if step.reason in COUNTED_ONLY
    }
    reasons: dict[str | None, int] = {}
    for step in expected.values():
        reasons[step.reason] = reasons.get(step.reason, 0) + 1
    counted: dict[str | None, int] = {}
    for count_of in found:
        counted[count_of.reason] = counted.get(count_of.reason, 0) + count_of.debts
    assert counted == reasons


def _facts(debt: dict[str, Any]) -> DunningFacts:
    tried = debt["unsent"] is not None and debt["unsent_level"] == debt["level"] + 1
    stops = in_force(released=False, ends_on=_last_day(debt), as_at=AS_AT)
    return DunningFacts(
        outstanding_pence=debt["outstanding"],
        due_on=AS_AT - debt["late"] * DAY,
        last_level=debt["level"],
        last_notice_on=AS_AT - debt["since_last"] * DAY if debt["level"] else None,
        last_notice_sent_on=_sent_on(debt),
        hold_reason=debt["hold"] if stops else None,
        suppressed=debt["suppressed"],
        notice_under_way=debt["under_way"] and debt["level"] > 0,
        recorded_on=AS_AT + debt["recorded"] * DAY,
        unsent_on=AS_AT - debt["unsent"] * DAY if tried else None,
        on_account_pence=debt["held"] or 0,
        unreachable_by=unreachable_by(debt["preferred"], has_email=debt["has_email"], failed=debt["failed"]),
    )


def _sent_on(debt: dict[str, Any]) -> date | None:
    if not debt["level"] or debt["sent"] is None:
        return None
    return AS_AT + (debt["sent"] - debt["since_last"]) * DAY


async def _insert(session: Any, debt: dict[str, Any], department: str) -> Any:
    customer_id, receivable_id = new_id(), new_id()
    due_on = AS_AT - debt["late"] * DAY
    common = {"customer_id": customer_id, "receivable_id": receivable_id, "due_on": due_on}
    session.add(_customer(debt, customer_id))
    await session.flush()
    session.add(_receivable(debt, receivable_id, customer_id, department))
    await session.flush()
    if debt["hold"]:
        session.add(_hold(debt, customer_id, receivable_id))
    if debt["under_way"] and debt["level"]:
        sent_on = AS_AT - debt["since_last"] * DAY
        await _add_notice(session, common, level=debt["level"], issued_on=sent_on, delivery_status=DeliveryStatus.SENT)
    if debt["unsent"] is not None:
        await _add_notice(
            session,
            common,
            level=debt["unsent_level"],
            issued_on=AS_AT - debt["unsent"] * DAY,
            delivery_status=DeliveryStatus.FAILED,
            failure_reason="on_hold",
        )
    if debt["held"]:
        session.add_all(_receipts(debt["held"], customer_id))
    await session.flush()
    return receivable_id


def _receipts(held: int, customer_id: UUID) -> list[Receipt]:
    """Money on account, beside a receipt that is spent and one that went back."""
    values = {
        "version": 1,
        "source_system": "test",
        "received_on": AS_AT,
        "method": "cash",
        "customer_id": customer_id,
        "payer_named": True,
        "created_at": FAILED_AT,
        "content_hash": "",
    }
    return [
        Receipt(id=new_id(), source_reference=str(new_id()), **values, **parts)
        for parts in (
            {"amount_pence": held + 10, "allocated_pence": 10, "status": "received"},
            {"amount_pence": 99_00, "allocated_pence": 99_00, "status": "received"},
            {"amount_pence": 99_00, "allocated_pence": 0, "status": "reversed", "reversed_on": AS_AT},
        )
    ]


def _customer(debt: dict[str, Any], customer_id: UUID) -> Customer:
    return Customer(
        id=customer_id,
        version=1,
        source_system="test",
        source_reference=str(customer_id),
        kind=debt["kind"],
        name="Trader",
        preferred_channel=debt["preferred"],
        email="owed@example.com" if debt["has_email"] else None,
        language="en",
        suppressed=debt["suppressed"],
        on_hold=False,
        created_at=FAILED_AT,
        content_hash="",
        email_failed_at=FAILED_AT if "email" in debt["failed"] else None,
        letter_failed_at=FAILED_AT if "letter" in debt["failed"] else None,
    )


def _receivable(debt: dict[str, Any], receivable_id: UUID, customer_id: UUID, department: str) -> Receivable:
    due_on = AS_AT - debt["late"] * DAY
    return Receivable(
        id=receivable_id,
        version=1,
        customer_id=customer_id,
        source_system="test",
        source_reference=str(receivable_id),
        number=str(receivable_id),
        department=department,
        debt_type=debt["debt_type"],
        issued_on=due_on,
        due_on=due_on,
        lines=[],
        net_pence=debt["outstanding"],
        vat_pence=0,
        gross_pence=debt["outstanding"],
        outstanding_pence=debt["outstanding"],
        status=ReceivableStatus.OVERDUE,
        overdue_on=due_on,
        on_hold=debt["hold"] is not None,
        dunning_level=debt["level"],
        last_notice_on=AS_AT - debt["since_last"] * DAY if debt["level"] else None,
        last_notice_sent_on=_sent_on(debt),
        # Two minutes past midnight in London, on the evening before by UTC once summer has begun.
        created_at=datetime.combine(AS_AT + debt["recorded"] * DAY, time(0, 2), LONDON),
    )


def _last_day(debt: dict[str, Any]) -> date | None:
    """A death has none."""
    return None if debt["hold"] == "deceased" else AS_AT - debt["hold_ended"] * DAY


def _hold(debt: dict[str, Any], customer_id: UUID, receivable_id: UUID) -> Hold:
    return Hold(
        id=new_id(),
        version=1,
        customer_id=customer_id,
        receivable_id=None if debt["hold_on_customer"] else receivable_id,
        reason=debt["hold"],
        note="disputed",
        owner="officer",
        placed_on=date(2026, 1, 1),
        review_on=AS_AT - debt["hold_ended"] * DAY,
        ends_on=_last_day(debt),
        placed_by="officer",
        placed_by_name="Officer",
        placed_at=FAILED_AT,
    )


async def _add_notice(session: Any, common: dict[str, Any], **values: Any) -> None:
    run_id = new_id()
    session.add(
        DunningRun(
            id=run_id,
            version=1,
            status=RunStatus.ISSUED,
            as_at=AS_AT,
            found={},
            outcome={},
            proposed_by="officer",
            proposed_by_name="Officer",
            proposed_at=FAILED_AT,
        )
    )
    await session.flush()
    session.add(
        DunningNotice(
            **common,
            **values,
            id=new_id(),
            run_id=run_id,
            procedure_id=new_id(),
            template="reminder",
            channel="letter",
            days_overdue=1,
            outstanding_pence=1,
            approved_by="officer",
            approved_by_name="Officer",
            delivery_at=FAILED_AT,
        )
    )
