"""Message templates, with their first versions.

Revision ID: notification_0001
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from council_common.database.columns import listed_table

revision = "notification_0001"
down_revision = None
branch_labels = ("notification",)
depends_on = "platform_0001"

FIRST_TEMPLATES = Path(__file__).parents[1] / "first_templates"
DUNNING = ["days_overdue", "due_on", "issued_on", "level", "number", "outstanding_pence"]

ADVICE = ["arrives_on", "items", "method", "payment_reference", "remitted_on", "total_paid_pence"]

# name: purpose, placeholders. The words are files of `first_templates`: the subject, an empty line, the text.
TEMPLATES = {
    "remittance_advice": ("inform", ADVICE),
    "reminder": ("enforce_debt", DUNNING),
    "second_reminder": ("enforce_debt", DUNNING),
    "final_notice": ("enforce_debt", DUNNING),
    "pre_legal_notice": ("enforce_debt", DUNNING),
    "bank_account_change_warning": ("inform", ["requested_on"]),
    "letter_to_representatives": ("inform", ["deceased_name", "due_on", "number", "outstanding_pence"]),
}

STATEMENTS = (
    """
    CREATE TABLE message_template (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_message_template PRIMARY KEY,
        version integer NOT NULL,
        name text NOT NULL,
        purpose text NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        CONSTRAINT uq_message_template_name UNIQUE (name),
        CONSTRAINT ck_message_template_purpose CHECK (purpose IN ('enforce_debt', 'inform'))
    )
    """,
    "CREATE INDEX ix_message_template_name_id ON message_template (name, id)",
    "CREATE INDEX ix_message_template_created_at_id ON message_template (created_at, id)",
    *listed_table("message_template"),
    """
    CREATE TABLE message_template_version (
        name text NOT NULL
            CONSTRAINT fk_message_template_version_name_message_template REFERENCES message_template (name),
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
    # The words that were sent, and what became of them, are evidence: not even the database's own prompt rewrites them.
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
    """,
    *(
        f"""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
        for table in ("message_template_version", "change")
    ),
)


def add_template(name: str, purpose: str, placeholders: list[str]) -> None:
    """A template with its version 1, and the first line of its history."""
    subject, words = (FIRST_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8").split("\n\n", 1)
    columns = ("id", "version", "name", "purpose", "created_at", "created_by")
    template = sa.table("message_template", *map(sa.column, columns))
    version = sa.table(
        "message_template_version",
        *map(sa.column, ("name", "version", "subject", "text", "created_at", "created_by")),
        sa.column("channels", sa.ARRAY(sa.Text)),
        sa.column("placeholders", sa.ARRAY(sa.Text)),
    )
    change = sa.table(
        "change", *map(sa.column, ("id", "entity", "entity_id", "version", "at", "by", "by_name", "action"))
    )
    made = {"created_at": sa.func.now(), "created_by": "system"}
    added = op.get_bind().execute(
        sa.insert(template)
        .values(id=sa.func.gen_random_uuid(), version=1, name=name, purpose=purpose, **made)
        .returning(template.c.id)
    )
    op.execute(
        sa.insert(version).values(
            name=name,
            version=1,
            channels=["email", "letter"],
            subject=subject,
            text=words,
            placeholders=placeholders,
            **made,
        )
    )
    op.execute(
        sa.insert(change).values(
            id=sa.func.gen_random_uuid(),
            entity="message_template",
            entity_id=added.scalar_one(),
            version=1,
            at=sa.func.now(),
            by="system",
            by_name="system",
            action="added",
        )
    )


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for name, (purpose, placeholders) in TEMPLATES.items():
        add_template(name, purpose, placeholders)


def downgrade() -> None:
    for statement in (
        "DROP TRIGGER only_grows ON change",
        "DROP TABLE message_template_version",
        "DROP TABLE message_template",
        "DROP FUNCTION refuse_change",
    ):
        op.execute(statement)
