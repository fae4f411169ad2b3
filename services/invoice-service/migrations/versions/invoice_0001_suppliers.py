"""What we know of suppliers.

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
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("supplier",):
        op.execute(f"DROP TABLE {table}")
