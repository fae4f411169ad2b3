"""Imports with their chunks, and refused and repeated lines.

Revision ID: invoice_0004
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0004"
down_revision = "invoice_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE invoice_import (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_invoice_import PRIMARY KEY,
        version integer NOT NULL,
        filename text NOT NULL,
        format text NOT NULL,
        profile text NOT NULL,
        source_system text NOT NULL,
        supplier_system text NOT NULL,
        unknown_suppliers text NOT NULL,
        mapping jsonb,
        sha256 text NOT NULL,
        bytes bigint NOT NULL,
        header jsonb,
        delimiter text,
        amount_basis text,
        reading jsonb,
        lines_accepted integer NOT NULL,
        lines_existing integer NOT NULL,
        lines_refused integer NOT NULL,
        lines_skipped integer NOT NULL,
        lines_amounts_disagree integer NOT NULL,
        lines_vat_derived integer NOT NULL,
        net_pence_sum bigint NOT NULL,
        refused_pence_sum bigint NOT NULL,
        file_total_pence bigint,
        file_total_agrees boolean,
        request_key text,
        received_by text NOT NULL,
        received_by_name text NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT uq_invoice_import_received_by_request_key UNIQUE (received_by, request_key),
        CONSTRAINT ck_invoice_import_format CHECK (format IN ('csv', 'ndjson', 'xlsx')),
        CONSTRAINT ck_invoice_import_profile CHECK (profile IN ('invoices', 'published_spend')),
        CONSTRAINT ck_invoice_import_unknown_suppliers CHECK (unknown_suppliers IN ('refuse', 'register'))
    )
    """,
    "CREATE INDEX ix_invoice_import_received_at_id ON invoice_import (received_at, id)",
    *listed_table("invoice_import"),
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
    for table in ("repeated_line", "refused_line", "import_chunk", "invoice_import"):
        op.execute(f"DROP TABLE {table}")
