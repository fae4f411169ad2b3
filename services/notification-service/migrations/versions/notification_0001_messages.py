"""Templates with their first versions, messages with their log, remittances.

Revision ID: notification_0001
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "notification_0001"
down_revision = None
branch_labels = ("notification",)
depends_on = None

FIRST_TEMPLATES = Path(__file__).parents[1] / "first_templates"
DUNNING = ("days_overdue", "due_on", "issued_on", "level", "number", "outstanding_pence")

# name: (channels, placeholders). The words are files of `first_templates`: the subject, an empty line, the text.
TEMPLATES = {
    "remittance_advice": (
        ("email", "letter"),
        ("arrives_on", "items", "method", "payment_reference", "remitted_on", "total_paid_pence"),
    ),
    "reminder": (("email", "letter"), DUNNING),
    "second_reminder": (("email", "letter"), DUNNING),
    "final_notice": (("email", "letter"), DUNNING),
    "pre_legal_notice": (("email", "letter"), DUNNING),
    "bank_account_change_warning": (("email", "letter"), ("requested_on",)),
}

STATEMENTS = (
    """
    CREATE TABLE message_template_version (
        name text NOT NULL,
        version integer NOT NULL,
        channels text[] NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        html text,
        placeholders text[] NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        CONSTRAINT pk_message_template_version PRIMARY KEY (name, version),
        CONSTRAINT ck_message_template_version_version CHECK (version >= 1)
    )
    """,
    """
    CREATE TABLE message (
        id uuid CONSTRAINT pk_message PRIMARY KEY,
        version integer NOT NULL,
        template text NOT NULL,
        template_version integer NOT NULL,
        channel text NOT NULL,
        recipient_kind text NOT NULL,
        recipient_id uuid NOT NULL,
        about_kind text NOT NULL,
        about_id uuid NOT NULL,
        copy_number integer NOT NULL,
        address text,
        reference text,
        facts jsonb NOT NULL,
        status text NOT NULL,
        code text,
        withdrawn_code text,
        attempt integer NOT NULL,
        refusals integer NOT NULL,
        waits integer NOT NULL,
        rendering integer NOT NULL,
        may_have_left boolean NOT NULL,
        body_sha256 text,
        due_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        CONSTRAINT uq_message_about_kind_about_id_template_copy_number
            UNIQUE (about_kind, about_id, template, copy_number),
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
    CREATE INDEX ix_message_receivable_id ON message ((facts ->> 'receivable_id'))
    WHERE about_kind = 'dunning_notice'
    """,
    "CREATE INDEX ix_message_created_at_id ON message (created_at, id)",
    "CREATE INDEX ix_message_recipient_id ON message (recipient_id)",
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
    CREATE TABLE message_event (
        message_id uuid NOT NULL CONSTRAINT fk_message_event_message_id_message REFERENCES message (id),
        version integer NOT NULL,
        status text NOT NULL,
        code text,
        explanation text,
        attempt integer NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        by_name text NOT NULL,
        CONSTRAINT pk_message_event PRIMARY KEY (message_id, version)
    )
    """,
    # What was said and what became of it is evidence (receivables.md §6): nobody rewrites it, not even we.
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
    """,
    *(
        f"""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in ("message_template_version", "rendering", "message_event")
    ),
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

ADD_TEMPLATE = sa.text(
    """
    INSERT INTO message_template_version (name, version, channels, subject, text, placeholders, created_at, created_by)
    VALUES (:name, 1, string_to_array(:channels, ','), :subject, :words, string_to_array(:placeholders, ','),
            now(), 'system')
    """
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for name, (channels, placeholders) in TEMPLATES.items():
        subject, words = (FIRST_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8").split("\n\n", 1)
        op.execute(
            ADD_TEMPLATE.bindparams(
                name=name,
                channels=",".join(channels),
                subject=subject,
                words=words,
                placeholders=",".join(placeholders),
            )
        )


def downgrade() -> None:
    for table in ("payment_rebate", "remittance", "message_event", "rendering", "message", "message_template_version"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_change()")
