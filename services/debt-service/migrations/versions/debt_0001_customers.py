"""Customers.

Revision ID: debt_0001
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0001"
down_revision = None
branch_labels = ("debt",)
depends_on = "platform_0001"

STATEMENTS = (
    """
    CREATE TABLE customer (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_customer PRIMARY KEY,
        version integer NOT NULL,
        source_system text NOT NULL,
        source_reference text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_customer_kind
            CHECK (kind IN ('individual', 'sole_trader', 'business', 'public_body')),
        name text NOT NULL,
        email text,
        address jsonb,
        preferred_channel text NOT NULL CONSTRAINT ck_customer_preferred_channel
            CHECK (preferred_channel IN ('email', 'letter')),
        language text NOT NULL,
        suppressed boolean NOT NULL,
        on_hold boolean NOT NULL,
        created_at timestamptz NOT NULL,
        content_hash text NOT NULL,
        contact_changed_at timestamptz,
        email_failed_at timestamptz,
        letter_failed_at timestamptz,
        CONSTRAINT uq_customer_source_reference_source_system UNIQUE (source_reference, source_system)
    )
    """,
    "CREATE INDEX ix_customer_name_id ON customer (name, id)",
    *listed_table("customer"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE customer")
