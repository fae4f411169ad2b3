"""The rule of `rules.next_step` as one statement over every overdue debt, and its re-test before issuing.

One pass: facts and reason of each debt, rows for what is proposed or needs an officer's eye, the others by reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from council_common.database.sessions import driver
from council_common.ids import lock_key
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.arrangements.holds.rules import HoldReason
from debt_service.arrangements.holds.store import REASON_IN_FORCE
from debt_service.cash.receipts.store import CUSTOMERS_WITH_MONEY, ON_ACCOUNT
from debt_service.recovery.dunning_procedures.rules import Ladder, Level, applying
from debt_service.recovery.dunning_runs.rules import COUNTED_ONLY, Reason

# Stands for every type of debt, or kind of customer, that no procedure names.
ANY = "*"

_STEPS = """
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::smallint[], $5::integer[], $6::integer[], $7::bigint[],
                     $8::text[])
    AS step (debt_type, kind, procedure_id, level, days, interval_days, minimum, channel)
"""

# Looked up only for debts that carry the mark.
_HOLD = REASON_IN_FORCE.format(as_at="$9")

# The London day this service recorded receivable `r`.
_RECORDED_ON = "(r.created_at AT TIME ZONE 'Europe/London')::date"

# The customers who cannot be written to by a channel that a level names: `customers.rules.unreachable_by`.
_UNREACHABLE = """
SELECT c.id AS customer_id, wanted.channel
FROM customer c CROSS JOIN (VALUES ('email'), ('letter'), ('preferred')) wanted (channel)
WHERE (c.email_failed_at IS NOT NULL OR c.letter_failed_at IS NOT NULL)
    AND CASE WHEN c.email IS NULL OR 'letter' IN (
        CASE WHEN wanted.channel = 'preferred' THEN c.preferred_channel ELSE wanted.channel END
    ) THEN c.letter_failed_at ELSE c.email_failed_at END IS NOT NULL
"""

# `rules.interval_began_on`, as at a day; GREATEST leaves NULL out. The day a debt was recorded is computed only where
# it matters: it costs more than all the rest.
_BEGAN = (
    "GREATEST(r.last_notice_on, CASE WHEN r.last_notice_sent_on <= {as_at} THEN r.last_notice_sent_on "
    "WHEN r.last_notice_sent_on IS NOT NULL AND " + _RECORDED_ON + " <= {as_at} THEN r.last_notice_sent_on END)"
)

# Looked up only for debts of customers with money on account.
_HELD = ON_ACCOUNT.format(customer_id="r.customer_id")

# Within the statement reasons are numbers (0: proposed), which group faster than their names: first those the
# calendar alone explains, then those whose items are kept.
_REASONS: tuple[str, ...] = (
    *COUNTED_ONLY,
    Reason.CUSTOMER_SUPPRESSED,
    Reason.PREVIOUS_NOT_DELIVERED,
    Reason.UNDELIVERABLE,
    Reason.MONEY_ON_ACCOUNT,
    Reason.BELOW_MINIMUM,
    Reason.IN_ANOTHER_PROPOSAL,
    *(f"{Reason.ON_HOLD}:{reason}" for reason in HoldReason),
)
_NUMBER = {reason: number for number, reason in enumerate(_REASONS, start=1)}
_NAMES = f"ARRAY[{', '.join(map(repr, map(str, _REASONS)))}]"
_HOLD_NUMBER = f"CASE WHEN r.on_hold THEN array_position({_NAMES}, '{Reason.ON_HOLD}:' || {_HOLD}) END"

# The sub-selects stand inside CASE: PostgreSQL builds and probes each only for debts that come so far.
_PROPOSE = f"""
WITH step AS MATERIALIZED ({_STEPS}),
unsent AS MATERIALIZED (
    SELECT n.receivable_id, n.level, max(n.issued_on) AS issued_on
    FROM dunning_notice n WHERE n.delivery_status = 'failed' AND n.sent_on IS NULL
    GROUP BY n.receivable_id, n.level
),
facts AS MATERIALIZED (
    SELECT r.id, r.customer_id, step.procedure_id, (r.dunning_level + 1)::smallint AS level,
        $9 - r.due_on AS days, r.outstanding_pence, {_BEGAN.format(as_at="$9")} AS last_notice_on,
        CASE
            WHEN step.procedure_id IS NULL THEN
                CASE WHEN {{has_ladder}} THEN {_NUMBER[Reason.TOP_LEVEL_REACHED]}
                     ELSE {_NUMBER[Reason.NO_PROCEDURE]} END
            WHEN $9 - r.due_on < step.days THEN {_NUMBER[Reason.NOT_DUE_YET]}
            ELSE coalesce({_HOLD_NUMBER}, CASE
                WHEN r.customer_id IN (SELECT id FROM customer WHERE suppressed)
                    THEN {_NUMBER[Reason.CUSTOMER_SUPPRESSED]}
                WHEN r.dunning_level > 0 AND r.id IN
                    (SELECT receivable_id FROM dunning_notice WHERE delivery_status IN ('issued', 'sent'))
                    THEN {_NUMBER[Reason.PREVIOUS_NOT_DELIVERED]}
                WHEN (r.customer_id, step.channel) IN ({_UNREACHABLE})
                    THEN {_NUMBER[Reason.UNDELIVERABLE]}
                WHEN $9 - {_BEGAN.format(as_at="$9")} < step.interval_days OR (r.id, step.procedure_id, step.level) IN
                    (SELECT u.receivable_id, tried.procedure_id, u.level
                     FROM unsent u JOIN step tried ON tried.level = u.level
                     WHERE $9 - u.issued_on < GREATEST(tried.interval_days, 1))
                    THEN {_NUMBER[Reason.INTERVAL_NOT_ELAPSED]}
                WHEN r.customer_id IN {CUSTOMERS_WITH_MONEY} AND r.outstanding_pence <= {_HELD}
                    THEN {_NUMBER[Reason.MONEY_ON_ACCOUNT]}
                WHEN r.outstanding_pence < step.minimum THEN {_NUMBER[Reason.BELOW_MINIMUM]}
                WHEN r.id IN (SELECT receivable_id FROM dunning_item WHERE state = 'proposed')
                    THEN {_NUMBER[Reason.IN_ANOTHER_PROPOSAL]}
                ELSE 0 END)
        END AS reason
    FROM receivable r
    {{customer}}
    LEFT JOIN step ON step.level = r.dunning_level + 1 {{same_keys}}
    WHERE r.status = 'overdue' AND r.due_on < $9 {{scope}}
),
kept AS (
    INSERT INTO dunning_item (run_id, receivable_id, customer_id, procedure_id, level, days_overdue,
                              outstanding_pence, due_on, last_notice_on, on_account_pence, state, reason)
    SELECT $10, id, customer_id, procedure_id, level, days, outstanding_pence, $9 - days, last_notice_on,
        CASE WHEN customer_id IN {CUSTOMERS_WITH_MONEY} THEN {ON_ACCOUNT.format(customer_id="facts.customer_id")} END,
        CASE WHEN reason = 0 THEN 'proposed' ELSE 'skipped' END, ({_NAMES})[reason]
    FROM facts WHERE reason = 0 OR reason > {len(COUNTED_ONLY)}
),
passed AS MATERIALIZED (
    SELECT reason, level, procedure_id, array_agg(id) AS ids, array_agg(outstanding_pence) AS outstanding_pence,
        array_agg(last_notice_on) AS last_notice_on, count(*) AS debts, sum(outstanding_pence)::bigint AS pence
    FROM facts WHERE reason BETWEEN 1 AND {len(COUNTED_ONLY)} GROUP BY reason, level, procedure_id
),
passed_over AS (
    INSERT INTO dunning_passed_over (id, run_id, reason, level, procedure_id, receivable_ids, outstanding_pence,
                                     last_notice_on)
    SELECT gen_random_uuid(), $10, ({_NAMES})[reason], level, procedure_id, ids, outstanding_pence, last_notice_on
    FROM passed
),
counted AS (
    SELECT reason, level, count(*) AS debts, sum(outstanding_pence)::bigint AS pence
    FROM facts WHERE reason = 0 OR reason > {len(COUNTED_ONLY)} GROUP BY reason, level
    UNION ALL
    SELECT reason, level, sum(debts)::bigint, sum(pence)::bigint FROM passed GROUP BY reason, level
)
SELECT ({_NAMES})[reason] AS reason, level, debts, pence FROM counted
"""

_RETEST = f"""
WITH step AS MATERIALIZED ({_STEPS})
SELECT r.id, r.customer_id, r.number, r.version, r.due_on, r.outstanding_pence, i.last_notice_on, i.level,
    i.procedure_id, c.preferred_channel, c.email IS NOT NULL AS has_email,
    CASE
        WHEN r.outstanding_pence = 0 THEN r.status
        ELSE coalesce(CASE WHEN r.on_hold THEN '{Reason.ON_HOLD}:' || {_HOLD} END, CASE
            WHEN c.suppressed THEN '{Reason.CUSTOMER_SUPPRESSED}'
            WHEN r.dunning_level <> i.level - 1 THEN '{Reason.LEVEL_CHANGED}'
            WHEN EXISTS (SELECT FROM dunning_notice n
                         WHERE n.receivable_id = r.id AND n.delivery_status IN ('issued', 'sent'))
                THEN '{Reason.PREVIOUS_NOT_DELIVERED}'
            WHEN (r.customer_id, step.channel) IN ({_UNREACHABLE}) THEN '{Reason.UNDELIVERABLE}'
            WHEN $12 - {_BEGAN.format(as_at="$12")} < step.interval_days THEN '{Reason.INTERVAL_NOT_ELAPSED}'
            WHEN r.outstanding_pence <= {_HELD} THEN '{Reason.MONEY_ON_ACCOUNT}'
            WHEN r.outstanding_pence < step.minimum THEN '{Reason.BELOW_MINIMUM}' END)
    END AS reason
FROM dunning_item i
JOIN receivable r ON r.id = i.receivable_id
JOIN customer c ON c.id = r.customer_id
JOIN step ON step.procedure_id = i.procedure_id AND step.level = i.level
WHERE i.run_id = $10 AND i.receivable_id = ANY($11::uuid[]) AND i.state = 'proposed'
ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class RunScope:
    """Which debts a run is for."""

    department: str | None = None
    debt_type: str | None = None
    customer_kind: str | None = None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many debts had one reason (None: proposed) at one level, and what they owe in pence."""

    reason: str | None
    level: int
    debts: int
    pence: int


async def propose_items(
    session: AsyncSession, run_id: UUID, ladders: Sequence[Ladder], scope: RunScope, *, as_at: date
) -> list[ReasonCount]:
    """Select the next level of every overdue debt in scope and keep items of what is proposed or needs an officer.

    Proposals wait for one another, so that each sees the open items of the one before.
    """
    connection = await driver(session)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key("dunning-proposal"))
    # The plan depends on the values: one for all values, which PostgreSQL takes after five runs, takes twice as long.
    await connection.execute("SET LOCAL work_mem = '256MB'; SET LOCAL plan_cache_mode = force_custom_plan")
    types = sorted({ladder.debt_type for ladder in ladders if ladder.debt_type is not None})
    kinds = sorted({ladder.customer_kind for ladder in ladders if ladder.customer_kind is not None})
    values: list[Any] = [*_columns(_applying_steps(ladders, types, kinds, as_at)), as_at, run_id]
    statement = _statement(values, types, kinds, scope)
    rows = await connection.fetch(statement, *values)
    return [
        ReasonCount(reason=row["reason"], level=row["level"], debts=row["debts"], pence=row["pence"]) for row in rows
    ]


def _statement(values: list[Any], types: Sequence[str], kinds: Sequence[str], scope: RunScope) -> str:
    """The proposal's statement, which joins on type and kind only where ladders differ by them; adds its values."""

    def placeholder(value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    debt_keys: dict[str, str] = {}
    for key, column, named in (("debt_type", "r.debt_type", types), ("kind", "c.kind", kinds)):
        if named:
            among = placeholder(list(named))
            debt_keys[key] = f"CASE WHEN {column} = ANY({among}::text[]) THEN {column} ELSE '{ANY}' END"
    same_keys = [f"AND step.{key} = {expression}" for key, expression in debt_keys.items()]
    # A debt with no step above it is at the top of its ladder or has none: without types and kinds all have the same.
    has_ladder = str(bool(values[0])).upper()
    if debt_keys:
        has_ladder = f"({', '.join(debt_keys.values())}) IN (SELECT {', '.join(debt_keys)} FROM step)"
    equal = (
        ("r.department", scope.department),
        ("r.debt_type", scope.debt_type),
        ("c.kind", scope.customer_kind),
    )
    conditions = [f"AND {column} = {placeholder(value)}" for column, value in equal if value is not None]
    needs_customer = kinds or scope.customer_kind is not None
    return (
        _PROPOSE.replace("{scope}", " ".join(conditions))
        .replace("{same_keys}", " ".join(same_keys))
        .replace("{has_ladder}", has_ladder)
        .replace("{customer}", "JOIN customer c ON c.id = r.customer_id" if needs_customer else "")
    )


async def retest(
    session: AsyncSession,
    run_id: UUID,
    receivable_ids: Sequence[UUID],
    ladders: Iterable[Ladder],
    *,
    as_at: date,
    issued_on: date,
) -> list[Any]:
    """What is true now of some proposed debts, their rows locked; `reason` where the notice must not be issued.

    A failed notice may have been sent again since: then it is under way, or its interval has begun anew.
    """
    connection = await driver(session)
    steps = [_Step(ANY, ANY, ladder.id, level) for ladder in ladders for level in ladder.levels]
    rows: list[Any] = await connection.fetch(_RETEST, *_columns(steps), as_at, run_id, receivable_ids, issued_on)
    return rows


class _Step(NamedTuple):
    """A level of a ladder, and the type of debt and kind of customer (or `ANY`) it applies to."""

    debt_type: str
    kind: str
    procedure_id: UUID
    level: Level


def _applying_steps(ladders: Sequence[Ladder], types: Sequence[str], kinds: Sequence[str], as_at: date) -> list[_Step]:
    """The steps in force on a day, by type of debt and kind of customer that a ladder names, and for the rest."""
    steps = []
    for debt_type in (*types, ANY):
        for kind in (*kinds, ANY):
            ladder = applying(ladders, debt_type=debt_type, customer_kind=kind, as_at=as_at)
            if ladder is not None:
                steps += [_Step(debt_type, kind, ladder.id, level) for level in ladder.levels]
    return steps


def _columns(steps: Sequence[_Step]) -> list[list[Any]]:
    """The columns of `_STEPS`."""
    return [
        [step.debt_type for step in steps],
        [step.kind for step in steps],
        [step.procedure_id for step in steps],
        [step.level.level for step in steps],
        [step.level.days_overdue for step in steps],
        [step.level.interval_days for step in steps],
        [step.level.minimum_pence for step in steps],
        [step.level.channel for step in steps],
    ]
