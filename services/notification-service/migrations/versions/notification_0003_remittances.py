"""Payments to be advised, and the rebates they wait for.

Revision ID: notification_0003
"""

from alembic import op

revision = "notification_0003"
down_revision = "notification_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE remittance (
        payment_id uuid CONSTRAINT pk_remittance PRIMARY KEY,
        invoice_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        reference text NOT NULL,
        facts jsonb NOT NULL,
        waits_for_rebate boolean NOT NULL,
        status text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT ck_remittance_status CHECK (status IN ('waiting', 'written', 'cancelled'))
    )
    """,
    "CREATE INDEX ix_remittance_waiting ON remittance (received_at) WHERE status = 'waiting'",
    """
    CREATE TABLE payment_rebate (
        payment_id uuid CONSTRAINT pk_payment_rebate PRIMARY KEY,
        facts jsonb NOT NULL,
        received_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_payment_rebate_received_at ON payment_rebate (received_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("payment_rebate", "remittance"):
        op.execute(f"DROP TABLE {table}")
