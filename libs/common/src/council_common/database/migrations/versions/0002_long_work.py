"""Long work: files, runs and packs of minutes, whose turn it is and how far each is.

Revision ID: platform_0002
"""

from alembic import op

revision = "platform_0002"
down_revision = "platform_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE long_work (
        subject_id uuid NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        turn bigint NOT NULL,
        done bigint NOT NULL,
        total bigint,
        cursor text,
        attempts integer NOT NULL,
        waits integer NOT NULL,
        not_before timestamptz,
        worked_seconds double precision NOT NULL,
        error jsonb,
        can_resume boolean NOT NULL,
        requested_by text NOT NULL,
        requested_by_name text NOT NULL,
        requested_at timestamptz NOT NULL,
        traceparent text,
        started_at timestamptz,
        finished_at timestamptz,
        CONSTRAINT pk_long_work PRIMARY KEY (subject_id, kind),
        CONSTRAINT ck_long_work_state CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled'))
    )
    """,
    "CREATE INDEX ix_long_work_open ON long_work (kind, turn) WHERE state IN ('waiting', 'running')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE long_work")
