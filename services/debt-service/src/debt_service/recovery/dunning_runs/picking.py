"""The rule of `rules.next_step` as one statement over every overdue debt, and its re-test before issuing (D4).

One pass: facts and reason of each debt, rows for what is proposed or remarkable, counts for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from council_common.database.sessions import driver
from council_common.ids import lock_key
from sqlalchemy.ext.asyncio import AsyncSession

from debt_service.arrangements.holds.rules import HoldKind
from debt_service.arrangements.holds.store import KIND_IN_FORCE
from debt_service.recovery.dunning_procedures.rules import Ladder, applying
from debt_service.recovery.dunning_runs.rules import COUNTED_ONLY, Reason
from debt_service.recovery.dunning_runs.store import RECORDED_ON, UNDELIVERABLE

# Stands for every type of debt, or kind of customer, that no procedure names.
ANY = "*"

_RUNGS = """
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::smallint[], $5::integer[], $6::integer[], $7::bigint[])
    AS rung (debt_type, kind, procedure_id, level, days, interval_days, minimum)
"""

# Asked only of debts that carry the mark.
_HOLD = KIND_IN_FORCE.format(as_at="$8")

# `rules.interval_began_on`, as at a day; what is not there GREATEST leaves out.
_BEGAN = (
    "GREATEST(r.last_notice_on, CASE WHEN r.last_notice_sent_on <= {as_at} OR "
    + RECORDED_ON
    + " <= {as_at} THEN r.last_notice_sent_on END)"
)

# Within the statement reasons are numbers (0: proposed), which group faster than their names: first what the
# calendar alone explains, then what is kept.
_REASONS: tuple[str, ...] = (
    *COUNTED_ONLY,
    Reason.CUSTOMER_SUPPRESSED,
    Reason.PREVIOUS_NOT_DELIVERED,
    Reason.UNDELIVERABLE,
    Reason.BELOW_MINIMUM,
    Reason.IN_ANOTHER_PROPOSAL,
    *(f"{Reason.ON_HOLD}:{kind}" for kind in HoldKind),
)
_NUMBER = {reason: number for number, reason in enumerate(_REASONS, start=1)}
_NAMES = f"ARRAY[{', '.join(map(repr, map(str, _REASONS)))}]"
_HOLD_NUMBER = f"CASE WHEN r.on_hold THEN array_position({_NAMES}, '{Reason.ON_HOLD}:' || {_HOLD}) END"

# The sub-selects stand inside CASE: PostgreSQL builds and asks each only for debts that come so far.
_PROPOSE = f"""
WITH rung AS MATERIALIZED ({_RUNGS}),
unsent AS MATERIALIZED (
    SELECT n.receivable_id, n.level, max(n.issued_on) AS issued_on, bool_or({UNDELIVERABLE}) AS undeliverable
    FROM dunning_notice n JOIN customer c ON c.id = n.customer_id
    WHERE n.delivery_status = 'failed' AND n.sent_on IS NULL
    GROUP BY n.receivable_id, n.level
),
facts AS MATERIALIZED (
    SELECT r.id, r.customer_id, rung.procedure_id, (r.dunning_level + 1)::smallint AS level,
        $8 - r.due_on AS days, r.outstanding_pence, {_BEGAN.format(as_at="$8")} AS last_notice_on,
        CASE
            WHEN rung.procedure_id IS NULL THEN
                CASE WHEN {{climbs}} THEN {_NUMBER[Reason.TOP_LEVEL_REACHED]}
                     ELSE {_NUMBER[Reason.NO_PROCEDURE]} END
            WHEN $8 - r.due_on < rung.days THEN {_NUMBER[Reason.NOT_DUE_YET]}
            ELSE coalesce({_HOLD_NUMBER}, CASE
                WHEN r.customer_id IN (SELECT id FROM customer WHERE suppressed)
                    THEN {_NUMBER[Reason.CUSTOMER_SUPPRESSED]}
                WHEN r.dunning_level > 0 AND r.id IN
                    (SELECT receivable_id FROM dunning_notice WHERE delivery_status IN ('issued', 'sent'))
                    THEN {_NUMBER[Reason.PREVIOUS_NOT_DELIVERED]}
                WHEN (r.id, rung.level) IN (SELECT receivable_id, level FROM unsent WHERE undeliverable)
                    THEN {_NUMBER[Reason.UNDELIVERABLE]}
                WHEN $8 - {_BEGAN.format(as_at="$8")} < rung.interval_days OR (r.id, rung.procedure_id, rung.level) IN
                    (SELECT u.receivable_id, tried.procedure_id, u.level
                     FROM unsent u JOIN rung tried ON tried.level = u.level
                     WHERE $8 - u.issued_on < GREATEST(tried.interval_days, 1))
                    THEN {_NUMBER[Reason.INTERVAL_NOT_ELAPSED]}
                WHEN r.outstanding_pence < rung.minimum THEN {_NUMBER[Reason.BELOW_MINIMUM]}
                WHEN r.id IN (SELECT receivable_id FROM dunning_item WHERE state = 'proposed')
                    THEN {_NUMBER[Reason.IN_ANOTHER_PROPOSAL]}
                ELSE 0 END)
        END AS reason
    FROM receivable r
    {{customer}}
    LEFT JOIN rung ON rung.level = r.dunning_level + 1 {{apart}}
    WHERE r.status = 'overdue' AND r.due_on < $8 {{scope}}
),
kept AS (
    INSERT INTO dunning_item (run_id, receivable_id, customer_id, procedure_id, level, days_overdue,
                              outstanding_pence, due_on, last_notice_on, state, reason)
    SELECT $9, id, customer_id, procedure_id, level, days, outstanding_pence, $8 - days, last_notice_on,
        CASE WHEN reason = 0 THEN 'proposed' ELSE 'skipped' END, ({_NAMES})[reason]
    FROM facts WHERE reason = 0 OR reason > {len(COUNTED_ONLY)}
),
counted AS (
    SELECT reason * 100 + level AS code, count(*) AS debts, sum(outstanding_pence)::bigint AS pence
    FROM facts GROUP BY 1
)
SELECT ({_NAMES})[code / 100] AS reason, code % 100 AS level, debts, pence FROM counted
"""

_RETEST = f"""
WITH rung AS MATERIALIZED ({_RUNGS})
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
            WHEN $11 - {_BEGAN.format(as_at="$11")} < rung.interval_days THEN '{Reason.INTERVAL_NOT_ELAPSED}'
            WHEN r.outstanding_pence < rung.minimum THEN '{Reason.BELOW_MINIMUM}' END)
    END AS reason
FROM dunning_item i
JOIN receivable r ON r.id = i.receivable_id
JOIN customer c ON c.id = r.customer_id
JOIN rung ON rung.procedure_id = i.procedure_id AND rung.level = i.level
WHERE i.run_id = $9 AND i.receivable_id = ANY($10::uuid[]) AND i.state = 'proposed'
ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which debts a run looks at."""

    department: str | None = None
    debt_type: str | None = None
    customer_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """How many debts had one reason (None: proposed) at one level, and what they owe."""

    reason: str | None
    level: int
    debts: int
    pence: int


async def propose_items(
    session: AsyncSession, run_id: UUID, ladders: Sequence[Ladder], scope: Scope, *, as_at: date
) -> list[Found]:
    """Pick the next level of every overdue debt in scope and keep what is proposed or remarkable.

    Proposals wait for one another: the debts of one that is open are seen by the next.
    """
    connection = await driver(session)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key("dunning-proposal"))
    await connection.execute("SET LOCAL work_mem = '256MB'")
    types = sorted({each.debt_type for each in ladders if each.debt_type is not None})
    kinds = sorted({each.customer_kind for each in ladders if each.customer_kind is not None})
    rungs = _columns(_applying_rungs(ladders, types, kinds, as_at))
    values: list[Any] = [*rungs, as_at, run_id]
    statement = _statement(values, types, kinds, scope)
    rows = await connection.fetch(statement, *values)
    return [Found(row["reason"], row["level"], row["debts"], row["pence"]) for row in rows]


def _statement(values: list[Any], types: Sequence[str], kinds: Sequence[str], scope: Scope) -> str:
    """The proposal's statement, which joins on type and kind only where a ladder tells them apart; adds its values."""

    def placed(value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    apart, told_apart = [], {}
    for rung_column, column, named in (("debt_type", "r.debt_type", types), ("kind", "c.kind", kinds)):
        if named:
            of_debt = f"CASE WHEN {column} = ANY({placed(list(named))}::text[]) THEN {column} ELSE '{ANY}' END"
            apart.append(f"AND rung.{rung_column} = {of_debt}")
            told_apart[rung_column] = of_debt
    # A debt no rung is above has reached the top of a ladder, or has none: without types or kinds that is one answer.
    climbs = str(bool(values[0])).upper()
    if told_apart:
        climbs = f"({', '.join(told_apart.values())}) IN (SELECT {', '.join(told_apart)} FROM rung)"
    wanted = (
        ("r.department", scope.department),
        ("r.debt_type", scope.debt_type),
        ("c.kind", scope.customer_kind),
    )
    narrowed = [f"AND {column} = {placed(value)}" for column, value in wanted if value is not None]
    needs_customer = kinds or scope.customer_kind is not None
    return (
        _PROPOSE.replace("{scope}", " ".join(narrowed))
        .replace("{apart}", " ".join(apart))
        .replace("{climbs}", climbs)
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
    """What is true now of some proposed debts, their rows locked; `reason` where the letter must not go (D4).

    A failed notice may have been sent again since: then it is under way, or its interval has begun anew.
    """
    connection = await driver(session)
    rungs = [(ANY, ANY, ladder, number) for ladder in ladders for number in range(len(ladder.levels))]
    rows: list[Any] = await connection.fetch(_RETEST, *_columns(rungs), as_at, run_id, receivable_ids, issued_on)
    return rows


_Rung = tuple[str, str, Ladder, int]


def _applying_rungs(ladders: Sequence[Ladder], types: Sequence[str], kinds: Sequence[str], as_at: date) -> list[_Rung]:
    """The rungs in force on a day, for each type of debt and kind of customer that a ladder names, and for the rest."""
    rungs = []
    for debt_type in (*types, ANY):
        for kind in (*kinds, ANY):
            ladder = applying(ladders, debt_type=debt_type, customer_kind=kind, as_at=as_at)
            if ladder is not None:
                rungs += [(debt_type, kind, ladder, number) for number in range(len(ladder.levels))]
    return rungs


def _columns(rungs: Sequence[_Rung]) -> list[list[Any]]:
    levels = [(debt_type, kind, ladder.id, ladder.levels[number]) for debt_type, kind, ladder, number in rungs]
    return [
        [debt_type for debt_type, _, _, _ in levels],
        [kind for _, kind, _, _ in levels],
        [ladder_id for _, _, ladder_id, _ in levels],
        [level.level for _, _, _, level in levels],
        [level.days_overdue for _, _, _, level in levels],
        [level.interval_days for _, _, _, level in levels],
        [level.minimum_pence for _, _, _, level in levels],
    ]
