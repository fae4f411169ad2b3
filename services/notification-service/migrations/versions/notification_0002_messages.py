"""Messages and their words.

Revision ID: notification_0002
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "notification_0002"
down_revision = "notification_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE message (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_message PRIMARY KEY,
        version integer NOT NULL,
        template text NOT NULL,
        template_version integer NOT NULL,
        channel text NOT NULL,
        recipient_kind text NOT NULL,
        recipient_id uuid NOT NULL,
        about_kind text NOT NULL,
        about_id uuid NOT NULL,
        receivable_id uuid,
        purpose text NOT NULL,
        addressee jsonb,
        copy_number integer NOT NULL,
        address text,
        reference text,
        facts jsonb NOT NULL,
        status text NOT NULL,
        code text,
        withdrawn_code text,
        attempt integer NOT NULL,
        cut_off integer NOT NULL,
        refusals integer NOT NULL,
        waits integer NOT NULL,
        rendering integer NOT NULL,
        may_have_left boolean NOT NULL,
        body_sha256 text,
        traceparent text,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        CONSTRAINT uq_message_about_kind_about_id_template_copy_number
            UNIQUE (about_kind, about_id, template, copy_number),
        CONSTRAINT ck_message_recipient_kind CHECK (recipient_kind IN ('supplier', 'customer')),
        CONSTRAINT ck_message_purpose
            CHECK (purpose IN ('enforce_debt', 'ongoing_liability', 'outside_moratorium', 'court_proceedings', 'answer',
                               'debt_adviser', 'estate', 'inform')),
        CONSTRAINT ck_message_status
            CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'cancelled'))
    )
    """,
    "CREATE INDEX ix_message_due_at ON message (due_at) WHERE status IN ('queued', 'sending')",
    """
    CREATE INDEX ix_message_withdrawn ON message (due_at)
    WHERE withdrawn_code IS NOT NULL AND status IN ('queued', 'sending')
    """,
    """
    CREATE INDEX ix_message_receivable_id ON message (receivable_id) WHERE receivable_id IS NOT NULL
    """,
    "CREATE INDEX ix_message_created_at_id ON message (created_at, id)",
    "CREATE INDEX ix_message_recipient_id ON message (recipient_id)",
    *listed_table("message"),
    """
    CREATE TABLE rendering (
        message_id uuid NOT NULL CONSTRAINT fk_rendering_message_id_message REFERENCES message (id),
        number integer NOT NULL,
        template_version integer NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        html text,
        body_sha256 text NOT NULL,
        sent_to jsonb NOT NULL,
        enclosures jsonb NOT NULL,
        rendered_at timestamptz NOT NULL,
        CONSTRAINT pk_rendering PRIMARY KEY (message_id, number)
    )
    """,
    """
    CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON rendering
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("rendering", "message"):
        op.execute(f"DROP TABLE {table}")
