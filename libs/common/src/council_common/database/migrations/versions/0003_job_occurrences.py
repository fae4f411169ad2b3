"""Occurrences of jobs that run at clock times.

Revision ID: platform_0003
"""

from alembic import op

revision = "platform_0003"
down_revision = "platform_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE job_occurrence (
        job text NOT NULL,
        due_at timestamptz NOT NULL,
        begun_at timestamptz NOT NULL,
        attempts integer NOT NULL,
        finished_at timestamptz,
        outcome text,
        CONSTRAINT pk_job_occurrence PRIMARY KEY (job, due_at),
        CONSTRAINT ck_job_occurrence_outcome CHECK (outcome IN ('registered', 'done', 'failed')),
        CONSTRAINT ck_job_occurrence_finished CHECK ((outcome IS NULL) = (finished_at IS NULL))
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE job_occurrence")
