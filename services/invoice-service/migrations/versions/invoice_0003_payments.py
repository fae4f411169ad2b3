"""Payments.

Revision ID: invoice_0003
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0003"
down_revision = "invoice_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE payment (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_payment PRIMARY KEY,
        version integer NOT NULL,
        invoice_id uuid NOT NULL CONSTRAINT fk_payment_invoice_id_invoice REFERENCES invoice (id),
        supplier_id uuid NOT NULL,
        source_system text NOT NULL,
        source_reference text NOT NULL,
        remitted_on date NOT NULL,
        arrives_on date,
        paid_pence bigint NOT NULL,
        deducted_pence bigint NOT NULL,
        method text NOT NULL,
        reference text NOT NULL,
        overpaid_pence bigint NOT NULL,
        vat_shares jsonb NOT NULL,
        exceptions text[] NOT NULL,
        status text NOT NULL,
        return_reason text,
        returned_on date,
        recorded_by text NOT NULL,
        recorded_by_name text NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT uq_payment_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_payment_amounts CHECK (paid_pence >= 0 AND deducted_pence >= 0 AND paid_pence + deducted_pence > 0),
        CONSTRAINT ck_payment_overpaid CHECK (overpaid_pence BETWEEN 0 AND paid_pence),
        CONSTRAINT ck_payment_method CHECK (method IN ('bacs', 'faster_payment', 'cheque', 'card', 'direct_debit')),
        CONSTRAINT ck_payment_status CHECK (status IN ('made', 'returned')),
        CONSTRAINT ck_payment_returned CHECK ((status = 'returned') = (returned_on IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_payment_invoice_id ON payment (invoice_id)",
    "CREATE INDEX ix_payment_supplier_id_remitted_on ON payment (supplier_id, remitted_on)",
    "CREATE INDEX ix_payment_remitted_on_id ON payment (remitted_on, id)",
    *listed_table("payment"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("payment",):
        op.execute(f"DROP TABLE {table}")
