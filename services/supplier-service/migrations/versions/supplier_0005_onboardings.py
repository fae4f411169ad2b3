"""Onboardings and what was done to win a supplier.

Revision ID: supplier_0005
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "supplier_0005"
down_revision = "supplier_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE onboarding (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_onboarding PRIMARY KEY,
        supplier_id uuid NOT NULL CONSTRAINT fk_onboarding_supplier_id_supplier REFERENCES supplier (id),
        version integer NOT NULL,
        stage text NOT NULL,
        stage_on date NOT NULL,
        owner text,
        terms jsonb,
        opened_by text NOT NULL,
        opened_by_name text NOT NULL,
        opened_at timestamptz NOT NULL,
        CONSTRAINT uq_onboarding_supplier_id UNIQUE (supplier_id),
        CONSTRAINT ck_onboarding_stage
            CHECK (stage IN ('prospect', 'contacted', 'interested', 'agreed', 'declined')),
        CONSTRAINT ck_onboarding_agreed_to_terms CHECK (stage <> 'agreed' OR terms IS NOT NULL)
    )
    """,
    "CREATE INDEX ix_onboarding_stage ON onboarding (stage)",
    "CREATE INDEX ix_onboarding_owner ON onboarding (owner)",
    "CREATE INDEX ix_onboarding_opened_at_id ON onboarding (opened_at, id)",
    *listed_table("onboarding"),
    """
    CREATE TABLE onboarding_activity (
        id uuid CONSTRAINT pk_onboarding_activity PRIMARY KEY,
        onboarding_id uuid NOT NULL
            CONSTRAINT fk_onboarding_activity_onboarding_id_onboarding REFERENCES onboarding (id),
        kind text NOT NULL,
        "on" date NOT NULL,
        text text NOT NULL,
        added_by text NOT NULL,
        added_by_name text NOT NULL,
        added_at timestamptz NOT NULL,
        CONSTRAINT ck_onboarding_activity_kind CHECK (kind IN ('call', 'email', 'letter', 'meeting', 'note'))
    )
    """,
    'CREATE INDEX ix_onboarding_activity_onboarding_id_on_id ON onboarding_activity (onboarding_id, "on", id)',
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in (
        "DROP TABLE onboarding_activity",
        "DROP TABLE onboarding",
    ):
        op.execute(statement)
