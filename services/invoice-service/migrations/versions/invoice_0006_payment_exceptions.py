"""Exceptions found in payments.

Revision ID: invoice_0006
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0006"
down_revision = "invoice_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE payment_exception (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_payment_exception PRIMARY KEY,
        version integer NOT NULL,
        payment_id uuid NOT NULL CONSTRAINT fk_payment_exception_payment_id_payment REFERENCES payment (id),
        invoice_id uuid NOT NULL CONSTRAINT fk_payment_exception_invoice_id_invoice REFERENCES invoice (id),
        supplier_id uuid NOT NULL,
        invoice_number text NOT NULL,
        kind text NOT NULL,
        recover_pence bigint NOT NULL,
        hold_reasons text[] NOT NULL,
        remitted_on date NOT NULL,
        recorded_by text NOT NULL,
        found_at timestamptz NOT NULL,
        status text NOT NULL,
        resolution text,
        note text,
        customer_id uuid,
        receivable_id uuid,
        resolved_by text,
        resolved_by_name text,
        resolved_at timestamptz,
        CONSTRAINT uq_payment_exception_payment_id_kind UNIQUE (payment_id, kind),
        CONSTRAINT ck_payment_exception_kind CHECK (kind IN (
            'held', 'bank_account_change', 'left_before_hold', 'not_approved', 'before_receipt', 'paid_twice',
            'overpaid', 'invoice_ended', 'credit_note_paid'
        )),
        CONSTRAINT ck_payment_exception_recover CHECK (recover_pence >= 0),
        CONSTRAINT ck_payment_exception_status CHECK (status IN ('open', 'resolved')),
        CONSTRAINT ck_payment_exception_resolution CHECK (resolution IN (
            'recovered', 'receivable_raised', 'set_off', 'credited_by_supplier', 'written_off', 'approved_afterwards', 'account_confirmed',
            'agreed_prepayment', 'recorded_in_error', 'other', 'payment_returned', 'settles_instead'
        )),
        CONSTRAINT ck_payment_exception_customer CHECK (
            (resolution IS NOT DISTINCT FROM 'receivable_raised') = (customer_id IS NOT NULL)
        ),
        CONSTRAINT ck_payment_exception_resolved CHECK (
            (status = 'resolved') = (resolution IS NOT NULL AND resolved_by IS NOT NULL AND resolved_at IS NOT NULL)
        )
    )
    """,
    "CREATE INDEX ix_payment_exception_invoice_id ON payment_exception (invoice_id)",
    "CREATE INDEX ix_payment_exception_found_at_id ON payment_exception (found_at, id)",
    "CREATE INDEX ix_payment_exception_recover_pence_id ON payment_exception (recover_pence, id)",
    *listed_table("payment_exception"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE payment_exception")
