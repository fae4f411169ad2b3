"""Holds.

Revision ID: debt_0004
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0004"
down_revision = "debt_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE hold (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_hold PRIMARY KEY,
        version integer NOT NULL,
        customer_id uuid NOT NULL CONSTRAINT fk_hold_customer_id_customer REFERENCES customer (id),
        receivable_id uuid CONSTRAINT fk_hold_receivable_id_receivable REFERENCES receivable (id),
        reason text NOT NULL CONSTRAINT ck_hold_reason CHECK (reason IN ('dispute', 'breathing_space', 'arrangement',
            'vulnerability', 'insolvency', 'deceased', 'service_query')),
        note text NOT NULL,
        owner text NOT NULL,
        placed_on date NOT NULL,
        review_on date NOT NULL,
        ends_on date,
        placed_by text NOT NULL,
        placed_by_name text NOT NULL,
        placed_at timestamptz NOT NULL,
        released_at timestamptz,
        released_by text,
        released_by_name text,
        release_reason text CONSTRAINT ck_hold_release_reason CHECK (release_reason IN ('resolved',
            'placed_in_error', 'expired', 'superseded', 'other')),
        release_note text,
        CONSTRAINT ck_hold_dates CHECK (review_on >= placed_on AND coalesce(ends_on >= review_on, true)),
        CONSTRAINT ck_hold_last_day CHECK (
            CASE WHEN ends_on IS NULL THEN reason IN ('breathing_space', 'deceased') ELSE reason <> 'deceased' END),
        CONSTRAINT ck_hold_released
            CHECK (num_nulls(released_at, released_by, released_by_name, release_reason, release_note) IN (0, 5))
    )
    """,
    "CREATE INDEX ix_hold_receivable_id ON hold (receivable_id) WHERE released_at IS NULL",
    "CREATE INDEX ix_hold_customer_id ON hold (customer_id) WHERE released_at IS NULL",
    "CREATE INDEX ix_hold_review_on_id ON hold (review_on, id)",
    *listed_table("hold"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE hold")
