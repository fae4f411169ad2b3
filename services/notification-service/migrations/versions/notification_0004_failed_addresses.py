"""Addresses that failed.

Revision ID: notification_0004
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "notification_0004"
down_revision = "notification_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE failed_address (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_failed_address PRIMARY KEY,
        version integer NOT NULL,
        recipient_kind text NOT NULL,
        recipient_id uuid NOT NULL,
        address text NOT NULL,
        status text NOT NULL,
        code text NOT NULL,
        message_id uuid NOT NULL,
        failed_at timestamptz NOT NULL,
        CONSTRAINT uq_failed_address_recipient_id_address UNIQUE (recipient_id, address),
        CONSTRAINT ck_failed_address_recipient_kind CHECK (recipient_kind IN ('supplier', 'customer')),
        CONSTRAINT ck_failed_address_status CHECK (status IN ('failed', 'confirmed'))
    )
    """,
    "CREATE INDEX ix_failed_address_address ON failed_address (address) WHERE status = 'failed'",
    "CREATE INDEX ix_failed_address_failed_at_id ON failed_address (failed_at, id)",
    *listed_table("failed_address"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE failed_address")
