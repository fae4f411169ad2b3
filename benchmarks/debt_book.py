"""A book of debts for the benchmarks of debt-service: BENCH_SCALE overdue ones, as a council's are spread."""

from __future__ import annotations

import os
from datetime import date

from debt_service.recovery.dunning_runs.rules import DeliveryStatus

from benchmarks.parts import Parts

DEBTS = int(os.environ.get("BENCH_SCALE", "1000000"))
CUSTOMERS = max(1, DEBTS // 10)
AS_AT = date(2026, 3, 11)

_ID = "('{prefix}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"
_CUSTOMER = _ID.format(prefix="0195a1b2", number="{number}")
_DEBT = _ID.format(prefix="0195a1b3", number="n")
# Sent on the day it is dated.
_LAST_NOTICE = f"CASE WHEN level > 0 THEN '{AS_AT}'::date - (n % 40)::integer END"

_FILL = (
    # The rows are right by construction: foreign keys are not looked up a million times.
    "SET session_replication_role = replica",
    f"""
    INSERT INTO customer (id, version, source_system, source_reference, kind, name, email, preferred_channel, language,
        suppressed, on_hold, created_at, content_hash)
    SELECT {_CUSTOMER.format(number="n")}, 1, 'erp', 'C' || n, (ARRAY['individual', 'business'])[1 + n % 2],
        'Customer ' || n, 'c' || n || '@customer.example', 'email', 'en', n % 200 = 0, n % 100 = 1, now(), ''
    FROM generate_series(1, {CUSTOMERS}) n
    """,
    # Due 1 to 400 days ago; most have climbed as far as their age lets them, some are a step behind.
    f"""
    INSERT INTO receivable (id, version, customer_id, source_system, source_reference, number, department, debt_type,
        issued_on, due_on, lines, net_pence, vat_pence, gross_pence, outstanding_pence, status, overdue_on, on_hold,
        dunning_level, last_notice_on, last_notice_sent_on, created_at)
    SELECT {_DEBT}, 2, {_CUSTOMER.format(number=f"1 + n % {CUSTOMERS}")}, 'erp', 'R' || n, 'R' || n,
        'department_' || n % 24, (ARRAY['sundry', 'commercial_waste', 'rent', 'licence'])[1 + n % 4], due_on - 30,
        due_on, '[{{"description": "Trade waste", "net_pence": 10000, "vat_rate": "0", "vat_pence": 0}}]',
        pence, 0, pence, pence, 'overdue', due_on + 1, n % 50 = 0, level,
        {_LAST_NOTICE}, {_LAST_NOTICE}, now()
    FROM (
        SELECT n, '{AS_AT}'::date - (1 + n * 7919 % 400)::integer AS due_on, 500 + n * 31 % 50000 AS pence,
            least(n % 4, CASE WHEN n * 7919 % 400 < 7 THEN 0 WHEN n * 7919 % 400 < 21 THEN 1 ELSE 3 END) AS level
        FROM generate_series(1::bigint, {DEBTS}) n
    ) spread
    """,
    # One debt in fifty is on hold.
    f"""
    INSERT INTO hold (id, version, customer_id, receivable_id, reason, note, owner, placed_on, review_on, ends_on,
        placed_by, placed_by_name, placed_at)
    SELECT gen_random_uuid(), 1, {_CUSTOMER.format(number=f"1 + n % {CUSTOMERS}")}, {_DEBT}, 'dispute', 'not delivered',
        'd.evans', '2026-02-01', '2026-04-01', '2026-07-01', 'bench', 'bench', now()
    FROM generate_series(50::bigint, {DEBTS}, 50) n
    """,
    # The last notice of one debt in forty is under way.
    f"""
    INSERT INTO dunning_notice (id, run_id, receivable_id, customer_id, procedure_id, level, template, channel,
        issued_on, due_on, days_overdue, outstanding_pence, approved_by, approved_by_name, delivery_status,
        delivery_at)
    SELECT gen_random_uuid(), gen_random_uuid(), id, customer_id, '00000000-0000-7000-8000-000000000001',
        dunning_level, 'reminder', 'email', last_notice_on, due_on, 1, outstanding_pence, 'bench', 'bench',
        '{DeliveryStatus.SENT}', now()
    FROM receivable WHERE dunning_level > 0 AND substr(number, 2)::bigint % 40 < 2
    """,
    "SET session_replication_role = origin",
)


def debt_book(parts: Parts) -> str:
    """The book's database, filled once for all who measure on it."""

    def fill(url: str) -> None:
        database = url.rsplit("/", 1)[1]
        parts.postgres.run_sql(";".join(_FILL), database=database)
        parts.postgres.run_sql("VACUUM ANALYZE", database=database)

    return parts.filled_once("debt", "debt_book", fill)
