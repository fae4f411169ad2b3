"""Approval limits, of which one role and department has one a day.

Revision ID: invoice_0005
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0005"
down_revision = "invoice_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # GiST compares text by equality with it. A trusted extension: the database's owner may create it.
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE TABLE approval_limit (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_approval_limit PRIMARY KEY,
        version integer NOT NULL,
        role text NOT NULL,
        department text,
        up_to_pence bigint NOT NULL,
        effective_from date NOT NULL,
        effective_to date,
        decided_by text NOT NULL,
        decided_by_name text NOT NULL,
        decided_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT ck_approval_limit_amount CHECK (up_to_pence > 0),
        CONSTRAINT ck_approval_limit_ends_after_start CHECK (effective_to >= effective_from),
        CONSTRAINT ex_approval_limit_one_a_day EXCLUDE USING gist (
            role WITH =,
            coalesce(department, '') WITH =,
            daterange(effective_from, effective_to, '[]') WITH &&
        )
    )
    """,
    "CREATE INDEX ix_approval_limit_effective_from_id ON approval_limit (effective_from, id)",
    *listed_table("approval_limit"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("approval_limit",):
        op.execute(f"DROP TABLE {table}")
