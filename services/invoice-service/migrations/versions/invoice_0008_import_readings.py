"""How files of a layout are read, by source system.

Revision ID: invoice_0008
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "invoice_0008"
down_revision = "invoice_0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE import_reading (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_import_reading PRIMARY KEY,
        version integer NOT NULL,
        source_system text NOT NULL,
        profile text NOT NULL,
        layout text NOT NULL,
        header jsonb NOT NULL,
        mapping jsonb NOT NULL,
        import_id uuid NOT NULL,
        recorded_by text NOT NULL,
        recorded_by_name text NOT NULL,
        recorded_at timestamptz NOT NULL,
        withdrawn_at timestamptz,
        CONSTRAINT uq_import_reading_source_system_profile_layout UNIQUE (source_system, profile, layout)
    )
    """,
    "CREATE INDEX ix_import_reading_recorded_at_id ON import_reading (recorded_at, id)",
    *listed_table("import_reading"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE import_reading")
