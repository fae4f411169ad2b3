"""Notes about suppliers, invoices, customers and receivables.

Revision ID: platform_0004
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "platform_0004"
down_revision = "platform_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE TABLE note (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_note PRIMARY KEY,
        about text NOT NULL,
        about_id uuid NOT NULL,
        channel text NOT NULL,
        happened_on date NOT NULL,
        words text NOT NULL,
        corrects_id uuid CONSTRAINT fk_note_corrects_id_note REFERENCES note (id),
        recorded_by text NOT NULL,
        recorded_by_name text NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT ck_note_channel CHECK (channel IN (
            'phone', 'email', 'letter', 'text_message', 'visit', 'meeting', 'online', 'internal', 'other'
        ))
    )
    """,
    "CREATE INDEX ix_note_about_id_recorded_at_id ON note (about_id, recorded_at, id)",
    "CREATE UNIQUE INDEX uq_note_corrects_id ON note (corrects_id) WHERE corrects_id IS NOT NULL",
    "CREATE INDEX ix_note_words ON note USING gin (lower(words) gin_trgm_ops)",
    *listed_table("note"),
    """
    CREATE FUNCTION notes_are_immutable() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION 'notes are only added' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "CREATE TRIGGER note_is_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON note "
    "FOR EACH STATEMENT EXECUTE FUNCTION notes_are_immutable()",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE note")
    op.execute("DROP FUNCTION notes_are_immutable")
