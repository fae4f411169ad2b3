"""Customers.

Revision ID: debt_0001
"""

from alembic import op

revision = "debt_0001"
down_revision = None
branch_labels = ("debt",)
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE customer (
        id uuid CONSTRAINT pk_customer PRIMARY KEY,
        version integer NOT NULL,
        system text NOT NULL,
        reference text NOT NULL,
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
        CONSTRAINT uq_customer_system_reference UNIQUE (system, reference)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE customer")
