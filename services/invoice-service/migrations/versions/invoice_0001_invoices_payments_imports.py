"""Suppliers as we know them, invoices and their holds, payments, imports with their chunks and refused lines.

Revision ID: invoice_0001
"""

from alembic import op

revision = "invoice_0001"
down_revision = None
branch_labels = ("invoice",)
depends_on = "platform_0001"

STATEMENTS = (
    """
    CREATE TABLE supplier (
        supplier_id uuid CONSTRAINT pk_supplier PRIMARY KEY,
        source_system text,
        source_reference text,
        status text NOT NULL,
        payment_terms_days integer NOT NULL,
        open_changes uuid[] NOT NULL,
        version integer NOT NULL,
        CONSTRAINT uq_supplier_source_system_source_reference UNIQUE (source_system, source_reference)
    )
    """,
    """
    CREATE TABLE invoice (
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
        status text NOT NULL,
        status_before_hold text,
        hold_reasons text[] NOT NULL DEFAULT '{}',
        duplicate_of uuid,
        historic boolean NOT NULL DEFAULT false,
        received_by text NOT NULL,
        received_by_name text NOT NULL,
        received_at timestamptz NOT NULL,
        approved_by text,
        approved_at timestamptz,
        paid_on date,
        import_id uuid,
        line_number integer,
        CONSTRAINT uq_invoice_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_invoice_gross CHECK (gross_pence = net_pence + vat_pence),
        CONSTRAINT ck_invoice_kind CHECK (kind IN ('invoice', 'credit_note')),
        CONSTRAINT ck_invoice_status CHECK (
            status IN ('received', 'held', 'approved', 'scheduled', 'paid', 'rejected', 'cancelled')
        ),
        CONSTRAINT ck_invoice_hold_reasons CHECK ((status = 'held') = (cardinality(hold_reasons) > 0)),
        CONSTRAINT ck_invoice_status_before_hold CHECK ((status = 'held') = (status_before_hold IS NOT NULL)),
        CONSTRAINT ck_invoice_paid CHECK (abs(paid_pence + deducted_pence) <= abs(gross_pence))
    )
    """,
    # Lines are short and written once: compressing them would cost more than it saves.
    "ALTER TABLE invoice ALTER COLUMN lines SET STORAGE EXTERNAL",
    """
    CREATE UNIQUE INDEX uq_invoice_supplier_id_number_key ON invoice (supplier_id, number_key, kind)
        WHERE duplicate_of IS NULL AND NOT historic AND status NOT IN ('rejected', 'cancelled')
    """,
    "CREATE INDEX ix_invoice_number_key_supplier_id ON invoice (number_key, supplier_id)",
    "CREATE INDEX ix_invoice_supplier_id_received_on ON invoice (supplier_id, received_on)",
    "CREATE INDEX ix_invoice_received_on_id ON invoice (received_on, id)",
    """
    CREATE INDEX ix_invoice_due_on ON invoice (due_on, id)
        WHERE status IN ('received', 'held', 'approved', 'scheduled')
    """,
    "CREATE INDEX ix_invoice_import_id ON invoice USING brin (import_id)",
    """
    CREATE TABLE invoice_hold (
        id uuid CONSTRAINT pk_invoice_hold PRIMARY KEY,
        invoice_id uuid NOT NULL CONSTRAINT fk_invoice_hold_invoice_id_invoice REFERENCES invoice (id),
        reason text NOT NULL,
        note text,
        placed_by text NOT NULL,
        placed_on date,
        placed_at timestamptz NOT NULL,
        released_by text,
        released_on date,
        released_at timestamptz,
        CONSTRAINT ck_invoice_hold_released CHECK (num_nulls(released_at, released_by, released_on) IN (0, 3))
    )
    """,
    """
    CREATE UNIQUE INDEX uq_invoice_hold_invoice_id_reason ON invoice_hold (invoice_id, reason)
        WHERE released_at IS NULL
    """,
    "CREATE INDEX ix_invoice_hold_invoice_id ON invoice_hold (invoice_id)",
    """
    CREATE TABLE payment (
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
        vat_shares jsonb NOT NULL,
        status text NOT NULL,
        reason_code text,
        returned_on date,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        CONSTRAINT uq_payment_source_reference_source_system UNIQUE (source_reference, source_system),
        CONSTRAINT ck_payment_amounts CHECK (paid_pence >= 0 AND deducted_pence >= 0 AND paid_pence + deducted_pence > 0),
        CONSTRAINT ck_payment_status CHECK (status IN ('made', 'returned')),
        CONSTRAINT ck_payment_returned CHECK ((status = 'returned') = (returned_on IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_payment_invoice_id ON payment (invoice_id)",
    "CREATE INDEX ix_payment_supplier_id_remitted_on ON payment (supplier_id, remitted_on)",
    "CREATE INDEX ix_payment_remitted_on_id ON payment (remitted_on, id)",
    """
    CREATE TABLE invoice_import (
        id uuid CONSTRAINT pk_invoice_import PRIMARY KEY,
        status text NOT NULL,
        filename text NOT NULL,
        format text NOT NULL,
        profile text NOT NULL,
        source_system text NOT NULL,
        supplier_system text NOT NULL,
        unknown_suppliers text NOT NULL,
        mapping jsonb,
        sha256 text NOT NULL,
        bytes bigint NOT NULL,
        bytes_read bigint NOT NULL DEFAULT 0,
        header jsonb,
        delimiter text,
        amount_basis text,
        last_line integer NOT NULL DEFAULT 0,
        lines_accepted integer NOT NULL DEFAULT 0,
        lines_existing integer NOT NULL DEFAULT 0,
        lines_refused integer NOT NULL DEFAULT 0,
        lines_skipped integer NOT NULL DEFAULT 0,
        net_pence_sum bigint NOT NULL DEFAULT 0,
        refused_pence_sum bigint NOT NULL DEFAULT 0,
        file_total_pence bigint,
        file_total_agrees boolean,
        error jsonb,
        attempts integer NOT NULL DEFAULT 0,
        waits integer NOT NULL DEFAULT 0,
        request_key text,
        received_by text NOT NULL,
        received_by_name text NOT NULL,
        received_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        CONSTRAINT uq_invoice_import_received_by_request_key UNIQUE (received_by, request_key),
        CONSTRAINT ck_invoice_import_status CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled'))
    )
    """,
    "CREATE INDEX ix_invoice_import_received_at_id ON invoice_import (received_at, id)",
    """
    CREATE TABLE import_chunk (
        import_id uuid NOT NULL CONSTRAINT fk_import_chunk_import_id_invoice_import REFERENCES invoice_import (id),
        number integer NOT NULL,
        data bytea NOT NULL,
        CONSTRAINT pk_import_chunk PRIMARY KEY (import_id, number)
    )
    """,
    # Read once, deleted soon: not worth compressing.
    "ALTER TABLE import_chunk ALTER COLUMN data SET STORAGE EXTERNAL",
    """
    CREATE TABLE refused_line (
        id uuid CONSTRAINT pk_refused_line PRIMARY KEY,
        import_id uuid NOT NULL CONSTRAINT fk_refused_line_import_id_invoice_import REFERENCES invoice_import (id),
        line_number integer NOT NULL,
        field text NOT NULL,
        code text NOT NULL,
        problem text NOT NULL,
        expected text NOT NULL,
        raw text NOT NULL
    )
    """,
    "CREATE INDEX ix_refused_line_import_id_line_number_id ON refused_line (import_id, line_number, id)",
    """
    CREATE TABLE repeated_line (
        import_id uuid NOT NULL CONSTRAINT fk_repeated_line_import_id_invoice_import REFERENCES invoice_import (id),
        line_key text NOT NULL,
        occurrences integer NOT NULL,
        CONSTRAINT pk_repeated_line PRIMARY KEY (import_id, line_key)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        *("repeated_line", "refused_line", "import_chunk", "invoice_import"),
        *("payment", "invoice_hold", "invoice", "supplier"),
    ):
        op.execute(f"DROP TABLE {table}")
