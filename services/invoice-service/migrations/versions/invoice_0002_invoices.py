"""Invoices and the reasons to hold them.

Revision ID: invoice_0002
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0002"
down_revision = "invoice_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE invoice (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_invoice PRIMARY KEY,
        version integer NOT NULL,
        kind text NOT NULL,
        supplier_id uuid NOT NULL,
        source_system text NOT NULL,
        source_reference text NOT NULL,
        content_hash bytea NOT NULL,
        number text NOT NULL,
        number_key text NOT NULL,
        purchase_order_number text,
        issued_on date NOT NULL,
        received_on date NOT NULL,
        due_on date NOT NULL,
        lines jsonb NOT NULL,
        net_pence bigint NOT NULL,
        vat_pence bigint NOT NULL,
        gross_pence bigint NOT NULL,
        paid_pence bigint NOT NULL DEFAULT 0,
        deducted_pence bigint NOT NULL DEFAULT 0,
        credited_pence bigint NOT NULL DEFAULT 0,
        status text NOT NULL,
        status_before_hold text,
        hold_reasons text[] NOT NULL DEFAULT '{}',
        duplicate_of uuid,
        historic boolean NOT NULL DEFAULT false,
        received_by text NOT NULL,
        received_by_name text NOT NULL,
        received_at timestamptz NOT NULL,
        approved_by text,
        approved_by_name text,
        approved_at timestamptz,
        paid_on date,
        import_id uuid,
        line_number integer,
        amounts_disagree boolean NOT NULL DEFAULT false,
        vat_derived boolean NOT NULL DEFAULT false,
        invoice_number text,
        invoice_number_key text,
        row_hash bytea,
        amounts_settled_by text,
        CONSTRAINT uq_invoice_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_invoice_gross CHECK (amounts_disagree OR gross_pence = net_pence + vat_pence),
        CONSTRAINT ck_invoice_kind CHECK (kind IN ('invoice', 'credit_note')),
        CONSTRAINT ck_invoice_status CHECK (
            status IN ('received', 'held', 'approved', 'scheduled', 'paid', 'rejected', 'cancelled')
        ),
        CONSTRAINT ck_invoice_hold_reasons CHECK ((status = 'held') = (cardinality(hold_reasons) > 0)),
        CONSTRAINT ck_invoice_held CHECK ((status = 'held') = (status_before_hold IS NOT NULL)),
        CONSTRAINT ck_invoice_status_before_hold CHECK (
            status_before_hold IN ('received', 'held', 'approved', 'scheduled', 'paid', 'rejected', 'cancelled')
        ),
        CONSTRAINT ck_invoice_paid CHECK (abs(paid_pence + deducted_pence + credited_pence) <= abs(gross_pence))
    )
    """,
    # Lines are short and written once: compressing them would cost more than it saves.
    "ALTER TABLE invoice ALTER COLUMN lines SET STORAGE EXTERNAL",
    """
    CREATE UNIQUE INDEX uq_invoice_supplier_id_number_key ON invoice (supplier_id, number_key, kind)
        WHERE duplicate_of IS NULL AND NOT historic AND status NOT IN ('rejected', 'cancelled')
    """,
    "CREATE INDEX ix_invoice_number_key_supplier_id ON invoice (number_key, supplier_id)",
    """
    CREATE INDEX ix_invoice_invoice_number_key_supplier_id ON invoice (invoice_number_key, supplier_id)
        WHERE invoice_number_key IS NOT NULL
    """,
    "CREATE INDEX ix_invoice_supplier_id_received_on ON invoice (supplier_id, received_on)",
    "CREATE INDEX ix_invoice_received_on_id ON invoice (received_on, id)",
    "CREATE INDEX ix_invoice_due_on_id ON invoice (due_on, id)",
    "CREATE INDEX ix_invoice_import_id ON invoice USING brin (import_id)",
    *listed_table("invoice"),
    """
    CREATE TABLE invoice_hold (
        id uuid CONSTRAINT pk_invoice_hold PRIMARY KEY,
        invoice_id uuid NOT NULL CONSTRAINT fk_invoice_hold_invoice_id_invoice REFERENCES invoice (id),
        reason text NOT NULL,
        note text,
        placed_by text NOT NULL,
        placed_by_name text NOT NULL,
        placed_on date,
        placed_at timestamptz NOT NULL,
        released_by text,
        released_by_name text,
        released_on date,
        released_at timestamptz,
        release_reason text,
        release_note text,
        CONSTRAINT ck_invoice_hold_released CHECK (
            num_nulls(released_at, released_by, released_by_name, released_on, release_reason, release_note) IN (0, 6)
        ),
        CONSTRAINT ck_invoice_hold_reason CHECK (
            reason IN ('dispute', 'missing_po', 'missing_receipt', 'duplicate_suspected', 'bank_account_change',
                       'supplier_held', 'fraud_check', 'amounts_disagree')
        ),
        CONSTRAINT ck_invoice_hold_release_reason CHECK (
            release_reason IN ('resolved', 'placed_in_error', 'expired', 'superseded', 'other')
        )
    )
    """,
    """
    CREATE UNIQUE INDEX uq_invoice_hold_invoice_id_reason ON invoice_hold (invoice_id, reason)
        WHERE released_at IS NULL
    """,
    "CREATE INDEX ix_invoice_hold_invoice_id ON invoice_hold (invoice_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("invoice_hold", "invoice"):
        op.execute(f"DROP TABLE {table}")
