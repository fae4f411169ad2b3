"""Receipts and their allocations.

Revision ID: debt_0005
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "debt_0005"
down_revision = "debt_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE receipt (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_receipt PRIMARY KEY,
        version integer NOT NULL,
        source_system text NOT NULL,
        source_reference text NOT NULL,
        received_on date NOT NULL,
        amount_pence bigint NOT NULL CONSTRAINT ck_receipt_amount_pence CHECK (amount_pence > 0),
        allocated_pence bigint NOT NULL,
        method text NOT NULL CONSTRAINT ck_receipt_method CHECK (method IN ('bacs_credit', 'faster_payment',
            'direct_debit', 'card', 'cheque', 'cash', 'other')),
        payer_reference text,
        customer_id uuid CONSTRAINT fk_receipt_customer_id_customer REFERENCES customer (id),
        payer_named boolean NOT NULL,
        status text NOT NULL CONSTRAINT ck_receipt_status CHECK (status IN ('received', 'reversed')),
        reversed_on date,
        reversal_reason text,
        created_at timestamptz NOT NULL,
        content_hash text NOT NULL,
        on_account_reason text CONSTRAINT ck_receipt_on_account_reason CHECK (on_account_reason IN ('payer_unknown',
            'reference_unreadable', 'another_customers_number', 'quoted_owes_nothing', 'more_than_quoted', 'more_than_named',
            'several_debt_types', 'nothing_more_owed', 'debt_in_dispute',
            'allocation_reversed')),
        CONSTRAINT uq_receipt_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_receipt_allocated CHECK (allocated_pence BETWEEN 0 AND amount_pence),
        CONSTRAINT ck_receipt_reversed CHECK ((status = 'reversed') = (reversed_on IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_receipt_customer_id ON receipt (customer_id)",
    """
    CREATE INDEX ix_receipt_on_account ON receipt (customer_id)
    WHERE status = 'received' AND allocated_pence < amount_pence
    """,
    "CREATE INDEX ix_receipt_received_on_id ON receipt (received_on, id)",
    *listed_table("receipt"),
    """
    CREATE TABLE allocation (
        id uuid CONSTRAINT pk_allocation PRIMARY KEY,
        receipt_id uuid NOT NULL CONSTRAINT fk_allocation_receipt_id_receipt REFERENCES receipt (id),
        receivable_id uuid NOT NULL CONSTRAINT fk_allocation_receivable_id_receivable REFERENCES receivable (id),
        amount_pence bigint NOT NULL CONSTRAINT ck_allocation_amount_pence CHECK (amount_pence > 0),
        basis text NOT NULL CONSTRAINT ck_allocation_basis CHECK (basis IN ('explicit', 'quoted_reference',
            'same_amount', 'oldest_due', 'by_hand', 'moved')),
        allocated_on date NOT NULL,
        allocated_by text NOT NULL,
        allocated_by_name text NOT NULL,
        reversed_on date,
        reversal_reason text,
        moved_from_id uuid
    )
    """,
    "CREATE INDEX ix_allocation_receipt_id ON allocation (receipt_id)",
    "CREATE INDEX ix_allocation_receivable_id ON allocation (receivable_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE allocation")
    op.execute("DROP TABLE receipt")
