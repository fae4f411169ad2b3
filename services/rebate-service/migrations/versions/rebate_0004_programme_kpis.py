"""The market sectors of suppliers, for the programme's figures.

Revision ID: rebate_0004
"""

from alembic import op

revision = "rebate_0004"
down_revision = "rebate_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE supplier_sector (
            supplier_id uuid CONSTRAINT pk_supplier_sector PRIMARY KEY,
            market_sector text,
            version integer NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE supplier_sector")
