"""Receivables and their credit notes.

Revision ID: debt_0003
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0003"
down_revision = "debt_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE receivable (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_receivable PRIMARY KEY,
        version integer NOT NULL,
        customer_id uuid NOT NULL CONSTRAINT fk_receivable_customer_id_customer REFERENCES customer (id),
        source_system text NOT NULL,
        source_reference text NOT NULL,
        number text NOT NULL,
        department text NOT NULL,
        debt_type text NOT NULL,
        issued_on date NOT NULL,
        due_on date NOT NULL,
        lines jsonb NOT NULL,
        net_pence bigint NOT NULL,
        vat_pence bigint NOT NULL,
        gross_pence bigint NOT NULL,
        outstanding_pence bigint NOT NULL,
        status text NOT NULL CONSTRAINT ck_receivable_status
            CHECK (status IN ('open', 'overdue', 'settled', 'cancelled')),
        overdue_on date,
        settled_on date,
        on_hold boolean NOT NULL,
        dunning_level smallint NOT NULL,
        last_notice_on date,
        last_notice_sent_on date,
        created_at timestamptz NOT NULL,
        replaces_id uuid CONSTRAINT fk_receivable_replaces_id_receivable REFERENCES receivable (id),
        counts_from date,
        CONSTRAINT uq_receivable_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT uq_receivable_number UNIQUE (number),
        CONSTRAINT ck_receivable_sums CHECK (gross_pence > 0 AND net_pence + vat_pence = gross_pence),
        CONSTRAINT ck_receivable_outstanding CHECK (outstanding_pence BETWEEN 0 AND gross_pence),
        CONSTRAINT ck_receivable_status_of_balance
            CHECK ((outstanding_pence > 0) = (status IN ('open', 'overdue'))),
        CONSTRAINT ck_receivable_dates CHECK (due_on >= issued_on),
        CONSTRAINT ck_receivable_replaces
            CHECK (counts_from >= issued_on AND (replaces_id IS NULL) = (counts_from IS NULL))
    ) WITH (fillfactor = 85)
    """,
    "CREATE INDEX ix_receivable_customer_id ON receivable (customer_id)",
    "CREATE INDEX ix_receivable_status_due_on ON receivable (status, due_on)",
    "CREATE INDEX ix_receivable_due_on_id ON receivable (due_on, id)",
    "CREATE INDEX ix_receivable_outstanding_pence_id ON receivable (outstanding_pence, id)",
    "CREATE UNIQUE INDEX ix_receivable_replaces_id ON receivable (replaces_id) WHERE replaces_id IS NOT NULL",
    *listed_table("receivable"),
    """
    CREATE TABLE cancellation (
        id uuid CONSTRAINT pk_cancellation PRIMARY KEY,
        receivable_id uuid NOT NULL
            CONSTRAINT fk_cancellation_receivable_id_receivable REFERENCES receivable (id),
        cancelled_on date NOT NULL,
        amount_pence bigint NOT NULL CONSTRAINT ck_cancellation_amount_pence CHECK (amount_pence > 0),
        vat_pence bigint NOT NULL,
        reason text NOT NULL CONSTRAINT ck_cancellation_reason CHECK (reason IN ('raised_in_error', 'duplicate',
            'wrong_customer', 'wrong_amount', 'service_not_given', 'dispute_upheld', 'other')),
        cancelled_by text NOT NULL,
        cancelled_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_cancellation_receivable_id ON cancellation (receivable_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE cancellation")
    op.execute("DROP TABLE receivable")
