"""Message templates, with their first versions.

Revision ID: notification_0001
"""

from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from council_common.database.columns import listed_table
from sqlalchemy.dialects.postgresql import JSONB

revision = "notification_0001"
down_revision = None
branch_labels = ("notification",)
depends_on = "platform_0001"

FIRST_TEMPLATES = Path(__file__).parents[1] / "first_templates"
DUNNING = {
    "days_overdue": "count",
    "due_on": "date",
    "issued_on": "date",
    "level": "count",
    "number": "text",
    "outstanding_pence": "pence",
}
ADVICE = {
    "arrives_on": "date",
    "items": "lines",
    "method": "text",
    "payment_reference": "text",
    "remitted_on": "date",
    "total_paid_pence": "pence",
}
TO_REPRESENTATIVES = {"deceased_name": "text", "due_on": "date", "number": "text", "outstanding_pence": "pence"}

# name: purpose, sender, placeholders. The words are files of `first_templates`: the subject, an empty line, the text.
TEMPLATES = {
    "remittance_advice": ("inform", "payment", ADVICE),
    "reminder": ("enforce_debt", "dunning_notice", DUNNING),
    "second_reminder": ("enforce_debt", "dunning_notice", DUNNING),
    "final_notice": ("enforce_debt", "dunning_notice", DUNNING),
    "pre_legal_notice": ("enforce_debt", "dunning_notice", DUNNING),
    "bank_account_change_warning": ("inform", "bank_account_change", {"requested_on": "date"}),
    "letter_to_representatives": ("inform", None, TO_REPRESENTATIVES),
}

STATEMENTS = (
    """
    CREATE TABLE message_template (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_message_template PRIMARY KEY,
        version integer NOT NULL,
        name text NOT NULL,
        purpose text NOT NULL,
        written_for text,
        newest integer NOT NULL,
        in_use integer,
        waiting boolean NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        CONSTRAINT uq_message_template_name UNIQUE (name),
        CONSTRAINT ck_message_template_purpose CHECK (purpose IN ('enforce_debt', 'inform')),
        CONSTRAINT ck_message_template_written_for
            CHECK (written_for IN ('dunning_notice', 'payment', 'bank_account_change')),
        CONSTRAINT ck_message_template_in_use
            CHECK (in_use <= newest AND NOT (waiting AND coalesce(in_use = newest, false)))
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
        placeholders jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_name text NOT NULL,
        CONSTRAINT pk_message_template_version PRIMARY KEY (name, version),
        CONSTRAINT ck_message_template_version_version CHECK (version >= 1)
    )
    """,
    """
    CREATE TABLE message_template_decision (
        name text NOT NULL,
        version integer NOT NULL,
        decision text NOT NULL,
        decision_note text NOT NULL,
        decided_at timestamptz NOT NULL,
        decided_by text NOT NULL,
        decided_by_name text NOT NULL,
        CONSTRAINT pk_message_template_decision PRIMARY KEY (name, version),
        CONSTRAINT fk_message_template_decision_version
            FOREIGN KEY (name, version) REFERENCES message_template_version (name, version),
        CONSTRAINT ck_message_template_decision_decision CHECK (decision IN ('approved', 'rejected'))
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
        for table in ("message_template_version", "message_template_decision", "change")
    ),
)


FIRST_WORDS = "The words that the system begins with."


def add_template(name: str, purpose: str, written_for: str | None, placeholders: dict[str, str]) -> None:
    """A template with its version 1, approved, and the first lines of its history."""
    subject, words = (FIRST_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8").split("\n\n", 1)
    made = {"created_at": sa.func.now(), "created_by": "system", "created_by_name": "system"}
    about = {"purpose": purpose, "written_for": written_for, "newest": 1, "in_use": 1, "waiting": False}
    template_id = uuid4()
    _insert("message_template", id=template_id, version=2, name=name, **about, **made)
    shown = {"channels": ["email", "letter"], "subject": subject, "text": words, "placeholders": placeholders}
    _insert("message_template_version", name=name, version=1, **shown, **made)
    decided = {"decision": "approved", "decision_note": FIRST_WORDS, "decided_at": sa.func.now()}
    _insert("message_template_decision", name=name, version=1, decided_by="system", decided_by_name="system", **decided)
    about = {"entity": "message_template", "entity_id": template_id, "at": sa.func.now()}
    for version, action in ((1, "proposed"), (2, "approved")):
        detail = {"template_version": 1} | ({"note": FIRST_WORDS} if action == "approved" else {})
        who = {"by": "system", "by_name": "system"}
        _insert("change", id=uuid4(), version=version, action=action, detail=detail, **about, **who)


def _insert(table: str, **values: Any) -> None:
    kinds = {"channels": sa.ARRAY(sa.Text), "placeholders": JSONB(), "detail": JSONB()}
    into = sa.table(table, *(sa.column(name, kinds.get(name)) for name in values))
    op.execute(sa.insert(into).values(**values))


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for name, template in TEMPLATES.items():
        add_template(name, *template)


def downgrade() -> None:
    for statement in (
        "DROP TRIGGER only_grows ON change",
        "DROP TABLE message_template_decision",
        "DROP TABLE message_template_version",
        "DROP TABLE message_template",
        "DROP FUNCTION refuse_change",
    ):
        op.execute(statement)
