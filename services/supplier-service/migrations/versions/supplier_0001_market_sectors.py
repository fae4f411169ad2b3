"""Market sectors.

Revision ID: supplier_0001
"""

from alembic import op
from council_common.database.columns import listed_table

revision = "supplier_0001"
down_revision = None
branch_labels = ("supplier",)
depends_on = "platform_0001"

STATEMENTS = (
    """
    CREATE TABLE market_sector (
        changed_at timestamptz NOT NULL DEFAULT now(),
        id uuid CONSTRAINT pk_market_sector PRIMARY KEY,
        version integer NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT uq_market_sector_code UNIQUE (code)
    )
    """,
    "CREATE INDEX ix_market_sector_code_id ON market_sector (code, id)",
    "CREATE INDEX ix_market_sector_name_id ON market_sector (name, id)",
    *listed_table("market_sector"),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE market_sector")
