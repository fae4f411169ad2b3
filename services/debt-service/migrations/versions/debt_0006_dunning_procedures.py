"""Dunning procedures, and the ladder this service begins with.

Revision ID: debt_0006
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0006"
down_revision = "debt_0005"
branch_labels = None
depends_on = None

# Source: council policy. Reminder 7 days and final notice 21 days after the due date, as councils publish them (East
# Riding and Stafford: recovery after 21 days). The letter of claim to individuals is a legal step with enclosures and
# clocks of its own (Pre-Action Protocol for Debt Claims) and is an officer's; on day 35 every debtor gets the notice
# that announces it. No letter about less than £5.00: to write, print, post and answer one costs the council about as
# much (council policy); what is owed stays owed, stands in the run as below the minimum, and goes with the next debt.
DEFAULT_LADDER = """[
    {"level": 1, "days_overdue": 7, "interval_days": 0, "template": "reminder",
     "channel": "preferred", "minimum_pence": 500, "stops": false},
    {"level": 2, "days_overdue": 21, "interval_days": 14, "template": "final_notice",
     "channel": "preferred", "minimum_pence": 500, "stops": false},
    {"level": 3, "days_overdue": 35, "interval_days": 14, "template": "pre_legal_notice",
     "channel": "letter", "minimum_pence": 500, "stops": true}
]"""

STATEMENTS = (
    """
    CREATE TABLE dunning_procedure (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_dunning_procedure PRIMARY KEY,
        version integer NOT NULL,
        name text NOT NULL,
        debt_type text,
        customer_kind text CONSTRAINT ck_dunning_procedure_customer_kind
            CHECK (customer_kind IN ('individual', 'sole_trader', 'business', 'public_body')),
        effective_from date NOT NULL,
        levels jsonb NOT NULL,
        source text NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_dunning_procedure_debt_type_customer_kind_effective_from
            UNIQUE NULLS NOT DISTINCT (debt_type, customer_kind, effective_from)
    )
    """,
    "CREATE INDEX ix_dunning_procedure_effective_from_id ON dunning_procedure (effective_from, id)",
    *listed_table("dunning_procedure"),
    f"""
    INSERT INTO dunning_procedure (id, version, name, effective_from, levels, source, created_by,
        created_by_name, created_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 1, 'Standard ladder', '2000-01-01',
        '{DEFAULT_LADDER}', 'Council policy: the ladder this service begins with; no letter about less than £5.00, '
        'which writing, posting and answering it costs', 'system', 'system',
        '2026-01-01 UTC')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE dunning_procedure")
