"""Whose source systems are: the callers that may record under a name.

Revision ID: platform_0005
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "platform_0005"
down_revision = "platform_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE source_system_binding (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid NOT NULL CONSTRAINT pk_source_system_binding PRIMARY KEY,
        version integer NOT NULL,
        system text NOT NULL,
        system_key text NOT NULL,
        caller_kind text NOT NULL,
        caller text NOT NULL,
        first_use boolean NOT NULL,
        bound_by text NOT NULL,
        bound_by_name text NOT NULL,
        bound_at timestamptz NOT NULL,
        ended_by text,
        ended_by_name text,
        ended_at timestamptz,
        CONSTRAINT ck_source_system_binding_caller_kind CHECK (caller_kind IN ('client', 'role'))
    )
    """,
    """
    CREATE UNIQUE INDEX uq_source_system_binding_in_force ON source_system_binding (system_key, caller_kind, caller)
    WHERE ended_at IS NULL
    """,
    "CREATE INDEX ix_source_system_binding_bound_at_id ON source_system_binding (bound_at, id)",
    *listed_table("source_system_binding"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE source_system_binding")
