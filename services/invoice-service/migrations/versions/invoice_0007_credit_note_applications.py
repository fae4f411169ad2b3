"""Credit notes set against invoices, or refunded.

Revision ID: invoice_0007
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0007"
down_revision = "invoice_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE credit_note_application (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_credit_note_application PRIMARY KEY,
        version integer NOT NULL,
        credit_note_id uuid NOT NULL
            CONSTRAINT fk_credit_note_application_credit_note_id_invoice REFERENCES invoice (id),
        invoice_id uuid CONSTRAINT fk_credit_note_application_invoice_id_invoice REFERENCES invoice (id),
        supplier_id uuid NOT NULL,
        applied_pence bigint NOT NULL,
        vat_shares jsonb NOT NULL,
        after_payment boolean NOT NULL,
        due_back_pence bigint NOT NULL,
        deducted_pence bigint NOT NULL,
        status text NOT NULL,
        note text NOT NULL,
        applied_on date NOT NULL,
        applied_by text NOT NULL,
        applied_by_name text NOT NULL,
        applied_at timestamptz NOT NULL,
        refunded_on date,
        refund_reason text,
        reversed_on date,
        reversal_reason text,
        reversed_by text,
        reversed_by_name text,
        CONSTRAINT ck_credit_note_application_amounts
            CHECK (applied_pence > 0 AND due_back_pence >= 0 AND deducted_pence >= 0),
        CONSTRAINT ck_credit_note_application_due_back CHECK (due_back_pence + deducted_pence IN (0, applied_pence)),
        CONSTRAINT ck_credit_note_application_status CHECK (status IN ('applied', 'refund_due', 'refunded', 'reversed')),
        CONSTRAINT ck_credit_note_application_refund_reason
            CHECK (refund_reason IN ('received', 'set_off', 'written_off')),
        CONSTRAINT ck_credit_note_application_reversal_reason
            CHECK (reversal_reason IN ('wrong_invoice', 'wrong_amount', 'credit_note_withdrawn', 'other')),
        CONSTRAINT ck_credit_note_application_reversed CHECK (
            CASE status WHEN 'reversed' THEN num_nulls(reversed_on, reversal_reason, reversed_by, reversed_by_name) = 0
            ELSE num_nonnulls(reversed_on, reversal_reason, reversed_by, reversed_by_name) = 0 END
        ),
        CONSTRAINT ck_credit_note_application_refunded
            CHECK ((status = 'refunded') = (refunded_on IS NOT NULL AND refund_reason IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_credit_note_application_credit_note_id ON credit_note_application (credit_note_id)",
    "CREATE INDEX ix_credit_note_application_invoice_id ON credit_note_application (invoice_id)",
    "CREATE INDEX ix_credit_note_application_applied_at_id ON credit_note_application (applied_at, id)",
    "CREATE INDEX ix_credit_note_application_due_back_pence_id ON credit_note_application (due_back_pence, id)",
    *listed_table("credit_note_application"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE credit_note_application")
