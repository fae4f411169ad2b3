"""Holds.

Revision ID: debt_0004
"""

from alembic import op

revision = "debt_0004"
down_revision = "debt_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE hold (
        id uuid CONSTRAINT pk_hold PRIMARY KEY,
        version integer NOT NULL,
        customer_id uuid NOT NULL CONSTRAINT fk_hold_customer_id_customer REFERENCES customer (id),
        receivable_id uuid CONSTRAINT fk_hold_receivable_id_receivable REFERENCES receivable (id),
        kind text NOT NULL CONSTRAINT ck_hold_kind CHECK (kind IN ('dispute', 'breathing_space', 'arrangement',
            'vulnerability', 'insolvency', 'deceased', 'service_query')),
        reason text NOT NULL,
        owner text NOT NULL,
        placed_on date NOT NULL,
        review_on date NOT NULL,
        ends_on date NOT NULL,
        placed_by text NOT NULL,
        placed_at timestamptz NOT NULL,
        released_at timestamptz,
        released_by text,
        release_reason text,
        CONSTRAINT ck_hold_dates CHECK (review_on >= placed_on AND ends_on >= review_on)
    )
    """,
    "CREATE INDEX ix_hold_receivable_id ON hold (receivable_id) WHERE released_at IS NULL",
    "CREATE INDEX ix_hold_customer_id ON hold (customer_id) WHERE released_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE hold")
