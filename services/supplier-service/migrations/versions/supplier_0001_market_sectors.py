"""Market sectors.

Revision ID: supplier_0001
"""

from alembic import op

revision = "supplier_0001"
down_revision = None
branch_labels = ("supplier",)
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE market_sector (
        id uuid CONSTRAINT pk_market_sector PRIMARY KEY,
        version integer NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_market_sector_code UNIQUE (code)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE market_sector")
